mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name        = "acme-a1234567"
  environment = "production"
  priority    = 7
  platform = {
    listener_arn           = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/one/1/1"
    target_group_arn       = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/one/1"
    dns_zone_id            = "Z1"
    domain                 = "platform.example.com"
    load_balancer_dns_name = "one.elb.amazonaws.com"
    load_balancer_zone_id  = "Z2"
    bucket_arn             = "arn:aws:s3:::objects"
    platform_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/one"
  }
}

run "a_tenant_has_one_rule_and_one_name" {
  command = apply

  assert {
    condition     = one(one(aws_lb_listener_rule.this.condition).host_header).values == toset(["acme-a1234567.platform.example.com"]) && aws_lb_listener_rule.this.priority == 7
    error_message = "The listener knows the tenant by its host name."
  }

  assert {
    condition     = aws_route53_record.this.name == "acme-a1234567.platform.example.com" && aws_route53_record.this.alias[0].name == "one.elb.amazonaws.com"
    error_message = "The name leads to the load balancer."
  }
}

run "its_policy_ends_in_its_own_prefix" {
  command = apply

  assert {
    condition     = aws_iam_policy.this.name == "acme-a1234567-production"
    error_message = "On two platforms of one account the policies do not meet."
  }

  assert {
    condition     = jsondecode(aws_iam_policy.this.policy).Statement[0].Resource == "arn:aws:s3:::objects/tenants/acme-a1234567/*"
    error_message = "Objects of this tenant and of no other."
  }

  assert {
    condition     = !anytrue([for statement in jsondecode(aws_iam_policy.this.policy).Statement : statement.Resource == "*"])
    error_message = "Nothing is given for all resources."
  }
}

run "the_platform_s_own_place_is_refused" {
  command = plan

  variables {
    priority = 50000
  }

  expect_failures = [var.priority]
}

run "a_name_that_is_no_label_is_refused" {
  command = plan

  variables {
    name = "acme.one"
  }

  expect_failures = [var.name]
}
