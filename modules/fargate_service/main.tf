# One service: its task of one or more containers, the role of the application in it, and how many of it run.

data "aws_region" "current" {}

locals {
  scaled = var.scaling.most > var.scaling.least

  containers = [
    for name, container in var.containers : {
      name                   = name
      image                  = container.image
      essential              = true
      readonlyRootFilesystem = container.writable ? false : true
      portMappings           = container.port == null ? [] : [{ containerPort = container.port, protocol = "tcp" }]
      environment            = [for key, value in container.environment : { name = key, value = value }]
      secrets                = [for key, arn in container.secrets : { name = key, valueFrom = arn }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = var.log_group
          awslogs-region        = data.aws_region.current.name
          awslogs-stream-prefix = name
        }
      }
    }
  ]
  # The container that the load balancer talks to.
  served = one([for name, container in var.containers : { name = name, port = container.port } if container.served])
}

resource "aws_iam_role" "task" {
  name                 = "${var.name}-task"
  permissions_boundary = var.roles.boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "task" {
  count = length(var.permissions) == 0 ? 0 : 1

  name = "task"
  role = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for permission in var.permissions : { Effect = "Allow", Action = permission.actions, Resource = permission.resources }
    ]
  })
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = var.roles.execution
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode(local.containers)
}

# A fixed number: Terraform decides it, and which task runs.
resource "aws_ecs_service" "fixed" {
  count = local.scaled ? 0 : 1

  name                              = var.name
  cluster                           = var.cluster
  task_definition                   = aws_ecs_task_definition.this.arn
  launch_type                       = "FARGATE"
  platform_version                  = "LATEST"
  desired_count                     = var.scaling.least
  health_check_grace_period_seconds = 60
  enable_ecs_managed_tags           = true
  propagate_tags                    = "SERVICE"

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = local.served.name
    container_port   = local.served.port
  }

  dynamic "deployment_circuit_breaker" {
    for_each = var.scaling.blue_green ? [] : [1]

    content {
      enable   = true
      rollback = true
    }
  }

  deployment_controller {
    type = var.scaling.blue_green ? "CODE_DEPLOY" : "ECS"
  }
}

# A number that follows the load: it, and the tasks that are deployed, are no longer Terraform's to set back.
resource "aws_ecs_service" "scaled" {
  count = local.scaled ? 1 : 0

  name                              = var.name
  cluster                           = var.cluster
  task_definition                   = aws_ecs_task_definition.this.arn
  launch_type                       = "FARGATE"
  platform_version                  = "LATEST"
  desired_count                     = var.scaling.least
  health_check_grace_period_seconds = 60
  enable_ecs_managed_tags           = true
  propagate_tags                    = "SERVICE"

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = local.served.name
    container_port   = local.served.port
  }

  dynamic "deployment_circuit_breaker" {
    for_each = var.scaling.blue_green ? [] : [1]

    content {
      enable   = true
      rollback = true
    }
  }

  deployment_controller {
    type = var.scaling.blue_green ? "CODE_DEPLOY" : "ECS"
  }

  lifecycle {
    ignore_changes = [desired_count, task_definition, load_balancer]
  }
}

resource "aws_appautoscaling_target" "this" {
  count = local.scaled ? 1 : 0

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster}/${aws_ecs_service.scaled[0].name}"
  min_capacity       = var.scaling.least
  max_capacity       = var.scaling.most
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.scaled ? { ECSServiceAverageCPUUtilization = 70, ECSServiceAverageMemoryUtilization = 75 } : {}

  name               = each.key
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = each.key
    }
  }
}
