mock_provider "aws" {
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/one/1" }
  }

  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/one/1/1" }
  }

  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/one/1" }
  }

  mock_data "aws_ec2_managed_prefix_list" {
    defaults = { id = "pl-1" }
  }
}

variables {
  name                          = "demo-a1b2c3d4"
  vpc_id                        = "vpc-1"
  subnet_ids                    = ["subnet-a", "subnet-b"]
  certificate_arn               = "arn:aws:acm:us-east-1:123456789012:certificate/one"
  application_security_group_id = "sg-app"
  log_bucket                    = "logs"
}

run "tls_only_and_strangers_get_a_404" {
  command = apply

  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP is redirected, HTTPS is modern."
  }

  assert {
    condition     = aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "404" && length(aws_lb_listener_rule.all) == 0
    error_message = "Who has no rule is not served."
  }

  assert {
    condition     = aws_lb.this.enable_deletion_protection && aws_lb.this.drop_invalid_header_fields && aws_lb.this.access_logs[0].enabled
    error_message = "Protected, strict and logged."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.tasks.referenced_security_group_id == aws_security_group.this.id && aws_vpc_security_group_ingress_rule.tasks.from_port == 8080
    error_message = "Tasks are opened for the load balancer, on their port."
  }

  assert {
    condition     = keys(aws_lb_target_group.this) == ["blue"] && aws_lb_target_group.this["blue"].target_type == "ip" && aws_lb_target_group.this["blue"].stickiness[0].enabled && aws_lb_target_group.this["blue"].health_check[0].path == "/health"
    error_message = "Targets are tasks, with health checks and sticky sessions."
  }
}

run "blue_green_behind_cloudfront_serves_every_host" {
  command = apply

  variables {
    blue_green        = true
    catch_all         = true
    behind_cloudfront = true
  }

  assert {
    condition     = output.target_group_names == { blue = "demo-a1b2c3d4-blue", green = "demo-a1b2c3d4-green" } && aws_lb_listener_rule.all[0].priority == 50000
    error_message = "Two groups, and a rule for everybody below all others."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.this : rule.prefix_list_id == "pl-1" && rule.cidr_ipv4 == null])
    error_message = "Only CloudFront comes in."
  }
}

run "a_name_of_more_than_24_characters_is_refused" {
  command = plan

  variables {
    name = "fargate-db-per-tenant-development"
  }

  expect_failures = [var.name]
}

run "one_subnet_is_refused" {
  command = plan

  variables {
    subnet_ids = ["subnet-a"]
  }

  expect_failures = [var.subnet_ids]
}

run "a_port_of_root_is_refused" {
  command = plan

  variables {
    port = 80
  }

  expect_failures = [var.port]
}
