mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:flow" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/flow" }
  }
}

variables {
  name     = "platform-demo-development-default"
  vpc_cidr = "10.0.0.0/16"
  zones    = ["us-east-1a", "us-east-1b"]
}

run "subnets_lie_in_every_zone_and_never_overlap" {
  command = apply

  assert {
    condition     = [for zone in var.zones : aws_subnet.database[zone].cidr_block] == ["10.0.0.0/20", "10.0.16.0/20"]
    error_message = "Database subnets are the first sixteenths."
  }

  assert {
    condition     = [for zone in var.zones : aws_subnet.application[zone].cidr_block] == ["10.0.64.0/20", "10.0.80.0/20"]
    error_message = "Application subnets are sixteenths from the fifth on."
  }

  assert {
    condition     = output.public_subnets_by_zone == { for zone in var.zones : zone => aws_subnet.public[zone].id } && [for zone in var.zones : aws_subnet.public[zone].cidr_block] == ["10.0.128.0/20", "10.0.144.0/20"]
    error_message = "Public subnets are sixteenths from the ninth on."
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.database), values(aws_subnet.application), values(aws_subnet.public)) : !subnet.map_public_ip_on_launch])
    error_message = "No subnet gives out public addresses."
  }
}

run "port_5432_is_open_to_two_groups_only" {
  command = apply

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.database)) == toset(["application", "controlplane"])
    error_message = "A third way to the databases appeared."
  }

  assert {
    condition = alltrue([
      for rule in values(aws_vpc_security_group_ingress_rule.database) :
      rule.from_port == 5432 && rule.to_port == 5432 && rule.ip_protocol == "tcp" && rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.security_group_id == aws_security_group.database.id
    ])
    error_message = "Ingress is 5432 over TCP, from groups and never from addresses."
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default group allows nothing."
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zones = ["us-east-1a"]
  }

  expect_failures = [var.zones]
}

run "a_zone_given_twice_is_refused" {
  command = plan

  variables {
    zones = ["us-east-1a", "us-east-1a"]
  }

  expect_failures = [var.zones]
}

run "a_range_too_small_for_sixteen_subnets_is_refused" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/24"
  }

  expect_failures = [var.vpc_cidr]
}

run "text_that_is_no_range_is_refused" {
  command = plan

  variables {
    vpc_cidr = "ten"
  }

  expect_failures = [var.vpc_cidr]
}

run "a_name_that_aws_would_refuse_is_refused" {
  command = plan

  variables {
    name = "Platform_Demo"
  }

  expect_failures = [var.name]
}

run "databases_have_no_route_and_no_rule_beyond_the_vpc" {
  command = apply

  assert {
    condition     = aws_route.public.route_table_id == aws_route_table.public.id && length(aws_route_table.database.route) == 0
    error_message = "The way to the internet stands in the public table."
  }

  assert {
    condition     = alltrue([for rule in concat(tolist(aws_network_acl.this["database"].ingress), tolist(aws_network_acl.this["database"].egress)) : rule.cidr_block == var.vpc_cidr])
    error_message = "The databases' second layer knows the VPC only."
  }

  assert {
    condition     = !anytrue([for rule in aws_network_acl.this["public"].ingress : rule.cidr_block == "0.0.0.0/0" && (rule.from_port <= 22 || (rule.from_port <= 3389 && rule.to_port >= 3389))])
    error_message = "Neither shells nor desktops are reached from outside."
  }
}

run "who_talked_to_whom_is_logged_and_aws_is_near" {
  command = apply

  variables {
    interface_endpoints = ["logs", "secretsmanager"]
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "Flow logs are on, and kept as access logs are."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.gateway)) == toset(["dynamodb", "s3"]) && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "The two free endpoints are there, others on demand."
  }
}

run "a_plan_of_ranges_is_followed" {
  command = plan

  variables {
    public_cidrs      = ["10.0.1.0/24", "10.0.3.0/24"]
    application_cidrs = ["10.0.2.0/24", "10.0.4.0/24"]
    database_cidrs    = ["10.0.5.0/24", "10.0.6.0/24"]
  }

  assert {
    condition     = [for zone in var.zones : aws_subnet.application[zone].cidr_block] == ["10.0.2.0/24", "10.0.4.0/24"]
    error_message = "Each zone has the range that was given."
  }
}

run "a_range_outside_the_vpc_is_refused" {
  command = plan

  variables {
    public_cidrs      = ["10.1.1.0/24", "10.0.3.0/24"]
    application_cidrs = ["10.0.2.0/24", "10.0.4.0/24"]
    database_cidrs    = ["10.0.5.0/24", "10.0.6.0/24"]
  }

  expect_failures = [var.public_cidrs]
}

run "ranges_that_overlap_are_refused" {
  command = plan

  variables {
    public_cidrs      = ["10.0.1.0/24", "10.0.3.0/24"]
    application_cidrs = ["10.0.2.0/24", "10.0.4.0/24"]
    database_cidrs    = ["10.0.5.0/24", "10.0.4.128/25"]
  }

  expect_failures = [var.database_cidrs]
}

run "half_a_plan_is_refused" {
  command = plan

  variables {
    public_cidrs = ["10.0.1.0/24", "10.0.3.0/24"]
  }

  expect_failures = [var.database_cidrs]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = aws_iam_role.flow.permissions_boundary == var.permissions_boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
