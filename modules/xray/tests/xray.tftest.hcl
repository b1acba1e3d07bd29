mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  traced_roles = { application = "demo-task" }

  name    = "fargate-edge-multi-az-development-default"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/one"
}

run "a_few_requests_are_traced_and_encrypted" {
  command = apply

  assert {
    condition     = aws_xray_sampling_rule.this.fixed_rate == 0.05 && aws_xray_sampling_rule.this.reservoir_size == 1 && length(aws_xray_sampling_rule.this.rule_name) <= 32
    error_message = "One a second and a twentieth of the rest, under a name that fits."
  }

  assert {
    condition     = aws_iam_role_policy_attachment.this["application"].policy_arn == "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
    error_message = "Who is traced may send traces."
  }

  assert {
    condition     = aws_xray_encryption_config.this.type == "KMS"
    error_message = "Traces are encrypted with our key."
  }
}

run "more_than_all_requests_are_refused" {
  command = plan

  variables {
    share = 2
  }

  expect_failures = [var.share]
}
