mock_provider "aws" {
  mock_resource "aws_ses_domain_dkim" {
    defaults = { dkim_tokens = ["a", "b", "c"] }
  }
}

variables {
  name      = "loyalty-production-default"
  domain    = "example.org"
  zone_id   = "Z1"
  templates = { welcome = { subject = "Welcome {{name}}", text = "Hello {{name}}" } }
}

run "the_domain_proves_itself_in_dns" {
  command = apply

  assert {
    condition     = length(aws_route53_record.dkim) == 3 && aws_route53_record.dkim[0].name == "a._domainkey.example.org"
    error_message = "Three keys."
  }

  assert {
    condition     = output.templates == { welcome = "loyalty-production-default-welcome" }
    error_message = "A text is named after the platform and its kind."
  }
}

run "text_that_is_no_domain_is_refused" {
  command = plan

  variables {
    domain = "example"
  }

  expect_failures = [var.domain]
}
