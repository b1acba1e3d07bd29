mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
}

variables {
  name          = "demo-a1b2c3d4"
  repositories  = ["backend", "frontend"]
  key_arn       = "arn:aws:kms:us-east-1:123456789012:key/one"
  secret_prefix = "controlplane/platform-demo/"
}

run "images_are_immutable_scanned_and_encrypted" {
  command = apply

  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push && repository.encryption_configuration[0].encryption_type == "KMS"])
    error_message = "A tag stays what it is; images are scanned."
  }

  assert {
    condition     = aws_ecr_repository.this["backend"].name == "demo-a1b2c3d4/backend" && one(aws_ecs_cluster.this.setting).value == "disabled"
    error_message = "Repositories belong to their platform; paid metrics are asked for."
  }
}

run "the_execution_role_reaches_what_is_this_platform_s" {
  command = apply

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Resource if statement.Resource != "*"] == [
      "arn:aws:ecr:us-east-1:123456789012:repository/demo-a1b2c3d4/*",
      "arn:aws:logs:us-east-1:123456789012:log-group:/controlplane/*",
      "arn:aws:secretsmanager:us-east-1:123456789012:secret:controlplane/platform-demo/*",
      "arn:aws:kms:us-east-1:123456789012:key/one",
    ]
    error_message = "Only the registry's token has no resource."
  }
}

run "a_repository_with_a_capital_is_refused" {
  command = plan

  variables {
    repositories = ["Backend"]
  }

  expect_failures = [var.repositories]
}

run "keeping_one_image_is_refused" {
  command = plan

  variables {
    images_kept = 1
  }

  expect_failures = [var.images_kept]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = aws_iam_role.execution.permissions_boundary == var.permissions_boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
