mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:us-east-1:123456789012:certificate/one"
      domain_validation_options = [
        { domain_name = "platform.example.com", resource_record_name = "_p.platform.example.com", resource_record_type = "CNAME", resource_record_value = "_v.acm.aws" },
        { domain_name = "*.platform.example.com", resource_record_name = "_p.platform.example.com", resource_record_type = "CNAME", resource_record_value = "_v.acm.aws" },
      ]
    }
  }
}

variables {
  domain  = "platform.example.com"
  zone_id = "Z1"
}

run "the_domain_and_its_wildcard_are_proven_by_one_record" {
  command = apply

  assert {
    condition     = aws_acm_certificate.this.subject_alternative_names == toset(["*.platform.example.com"]) && aws_acm_certificate.this.validation_method == "DNS"
    error_message = "Tenants' names lie one label below the domain."
  }

  assert {
    condition     = length(aws_route53_record.proof) == 1 && aws_route53_record.proof["platform.example.com"].zone_id == "Z1"
    error_message = "One record in the zone proves both."
  }
}

run "a_wildcard_is_no_domain" {
  command = plan

  variables {
    domain = "*.example.com"
  }

  expect_failures = [var.domain]
}
