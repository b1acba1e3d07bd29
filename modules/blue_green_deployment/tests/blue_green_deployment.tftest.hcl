mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }
}

variables {
  name               = "demo-a1b2c3d4"
  cluster            = "demo"
  service            = "demo"
  listener_arn       = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/one/1/1"
  target_group_names = { blue = "demo-blue", green = "demo-green" }
}

run "a_failed_deployment_goes_back_by_itself" {
  command = apply

  assert {
    condition     = aws_codedeploy_deployment_group.this.auto_rollback_configuration[0].enabled && aws_codedeploy_deployment_group.this.deployment_style[0].deployment_type == "BLUE_GREEN"
    error_message = "Blue/green, with a rollback."
  }

  assert {
    condition     = aws_codedeploy_deployment_group.this.blue_green_deployment_config[0].terminate_blue_instances_on_deployment_success[0].termination_wait_time_in_minutes == 30
    error_message = "The old tasks stay for half an hour."
  }
}

run "one_target_group_is_refused" {
  command = plan

  variables {
    target_group_names = { blue = "demo-blue" }
  }

  expect_failures = [var.target_group_names]
}

run "a_pace_that_codedeploy_does_not_have_is_refused" {
  command = plan

  variables {
    pace = "fast"
  }

  expect_failures = [var.pace]
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
