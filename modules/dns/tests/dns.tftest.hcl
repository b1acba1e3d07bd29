mock_provider "aws" {}

variables {
  name   = "platform-demo"
  domain = "platform.example.com"
}

run "the_zone_is_the_domain_s_and_keeps_foreign_records" {
  command = apply

  assert {
    condition     = aws_route53_zone.this.name == "platform.example.com" && !aws_route53_zone.this.force_destroy && length(aws_route53_health_check.this) == 0
    error_message = "A zone with records of others is not deleted by force."
  }
}

run "a_health_check_asks_over_https" {
  command = plan

  variables {
    health_checks = { "app.platform.example.com" = "/health" }
  }

  assert {
    condition     = aws_route53_health_check.this["app.platform.example.com"].type == "HTTPS" && aws_route53_health_check.this["app.platform.example.com"].resource_path == "/health"
    error_message = "Health is asked for over HTTPS."
  }
}

run "a_single_label_is_no_domain" {
  command = plan

  variables {
    domain = "localhost"
  }

  expect_failures = [var.domain]
}

run "a_path_without_its_slash_is_refused" {
  command = plan

  variables {
    health_checks = { "app.platform.example.com" = "health" }
  }

  expect_failures = [var.health_checks]
}
