mock_provider "aws" {}

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
    condition     = alltrue([for subnet in concat(values(aws_subnet.database), values(aws_subnet.application)) : !subnet.map_public_ip_on_launch])
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
