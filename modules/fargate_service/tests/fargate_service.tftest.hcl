mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/one:1" }
  }
}

variables {
  name               = "demo-a1b2c3d4-app"
  cluster            = "demo-a1b2c3d4"
  roles              = { execution = "arn:aws:iam::123456789012:role/execution" }
  log_group          = "/controlplane/demo/app"
  subnet_ids         = ["subnet-a", "subnet-b"]
  security_group_ids = ["sg-app"]
  target_group_arn   = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/one/1"
  scaling            = { least = 1, most = 1 }
  permissions        = [{ actions = ["s3:GetObject"], resources = ["arn:aws:s3:::one/*"] }]

  containers = {
    frontend = { image = "frontend:1", port = 8080, served = true }
    backend  = { image = "backend:1", environment = { PORT = "3000" }, secrets = { TOKEN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:t" } }
  }
}

run "a_fixed_number_has_no_autoscaling" {
  command = apply

  assert {
    condition     = aws_ecs_service.fixed[0].desired_count == 1 && length(aws_ecs_service.scaled) + length(aws_appautoscaling_target.this) + length(aws_appautoscaling_policy.this) == 0
    error_message = "One task, and nothing that makes it two."
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "512" && aws_ecs_task_definition.this.memory == "1024"
    error_message = "Half a vCPU and a GiB."
  }

  assert {
    condition     = !aws_ecs_service.fixed[0].network_configuration[0].assign_public_ip && one(aws_ecs_service.fixed[0].load_balancer).container_name == "frontend"
    error_message = "Private, and served by the container that says so."
  }

  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container.readonlyRootFilesystem && container.logConfiguration.options["awslogs-group"] == "/controlplane/demo/app"])
    error_message = "Containers write to their log and nowhere else."
  }
}

run "a_range_is_held_by_cpu_and_memory" {
  command = apply

  variables {
    scaling = { least = 2, most = 10 }
  }

  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 2 && aws_appautoscaling_target.this[0].max_capacity == 10 && length(aws_ecs_service.fixed) == 0
    error_message = "Two to ten tasks."
  }

  assert {
    condition = { for metric, policy in aws_appautoscaling_policy.this : metric => policy.target_tracking_scaling_policy_configuration[0].target_value } == {
      ECSServiceAverageCPUUtilization    = 70
      ECSServiceAverageMemoryUtilization = 75
    }
    error_message = "Target tracking on CPU and memory."
  }

  assert {
    condition     = aws_ecs_service.scaled[0].deployment_circuit_breaker[0].rollback && aws_ecs_service.scaled[0].deployment_controller[0].type == "ECS"
    error_message = "A bad deployment is rolled back."
  }
}

run "a_blue_green_service_belongs_to_codedeploy" {
  command = plan

  variables {
    scaling = { least = 2, most = 10, blue_green = true }
  }

  assert {
    condition     = aws_ecs_service.scaled[0].deployment_controller[0].type == "CODE_DEPLOY" && length(aws_ecs_service.scaled[0].deployment_circuit_breaker) == 0
    error_message = "CodeDeploy deploys, and rolls back."
  }
}

run "a_permission_for_everything_is_refused" {
  command = plan

  variables {
    permissions = [{ actions = ["s3:GetObject"], resources = ["*"] }]
  }

  expect_failures = [var.permissions]
}

run "two_served_containers_are_refused" {
  command = plan

  variables {
    containers = {
      one = { image = "one", port = 8080, served = true }
      two = { image = "two", port = 8081, served = true }
    }
  }

  expect_failures = [var.containers]
}

run "memory_that_fargate_does_not_sell_is_refused" {
  command = plan

  variables {
    memory = 512
  }

  expect_failures = [var.memory]
}

run "more_at_least_than_at_most_is_refused" {
  command = plan

  variables {
    scaling = { least = 3, most = 2 }
  }

  expect_failures = [var.scaling]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    roles = { execution = "arn:aws:iam::123456789012:role/execution", boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services" }
  }

  assert {
    condition     = aws_iam_role.task.permissions_boundary == var.roles.boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
