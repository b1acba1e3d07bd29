mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
}

variables {
  name          = "platform-demo"
  bucket        = "logs"
  key_arn       = "arn:aws:kms:us-east-1:123456789012:key/one"
  log_group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:trail"
}

run "every_region_is_trailed_validated_and_encrypted" {
  command = apply

  assert {
    condition     = aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.include_global_service_events && aws_cloudtrail.this.enable_log_file_validation
    error_message = "All calls, and proof that none was changed."
  }

  assert {
    condition     = aws_cloudtrail.this.kms_key_id == var.key_arn && aws_cloudtrail.this.cloud_watch_logs_group_arn == "${var.log_group_arn}:*"
    error_message = "Encrypted, and searchable."
  }
}

run "a_name_with_an_underscore_is_refused" {
  command = plan

  variables {
    name = "platform_demo"
  }

  expect_failures = [var.name]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
