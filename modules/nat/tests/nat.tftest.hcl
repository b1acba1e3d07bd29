mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
}

variables {
  name              = "platform-demo"
  mode              = "gateway"
  zones             = ["us-east-1a", "us-east-1b"]
  vpc_id            = "vpc-1"
  vpc_cidr          = "10.0.0.0/16"
  public_subnet_ids = { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
  route_table_ids   = { us-east-1a = "rtb-a", us-east-1b = "rtb-b" }
}

run "every_zone_has_its_own_gateway" {
  command = apply

  assert {
    condition     = { for zone, gateway in aws_nat_gateway.this : zone => gateway.subnet_id } == { us-east-1a = "subnet-a", us-east-1b = "subnet-b" }
    error_message = "One gateway a zone, in its public subnet."
  }

  assert {
    condition     = alltrue([for zone, route in aws_route.gateway : route.nat_gateway_id == aws_nat_gateway.this[zone].id]) && length(aws_route.gateway) == 2
    error_message = "A zone goes out through its own gateway."
  }

  assert {
    condition     = length(aws_instance.this) == 0 && length(aws_security_group.this) == 0
    error_message = "A gateway needs no instance."
  }
}

run "one_gateway_can_serve_all_zones" {
  command = apply

  variables {
    per_zone = false
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["us-east-1a"] && length(aws_route.gateway) == 2
    error_message = "All zones go out through the first one's."
  }
}

run "an_instance_forwards_is_patched_and_comes_back" {
  command = apply

  variables {
    mode = "instance"
  }

  assert {
    condition     = length(aws_instance.this) == 2 && alltrue([for server in aws_instance.this : !server.source_dest_check && server.instance_type == "t4g.nano" && strcontains(server.user_data, "ip_forward = 1")])
    error_message = "An instance a zone, that forwards."
  }

  assert {
    condition     = alltrue([for server in aws_instance.this : server.metadata_options[0].http_tokens == "required" && server.root_block_device[0].encrypted])
    error_message = "Its disk is encrypted, its metadata ask for a token."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.recover : contains(alarm.alarm_actions, "arn:aws:automate:us-east-1:ec2:recover")]) && length(aws_eip_association.this) == 2
    error_message = "A failed one is recovered, and keeps its address."
  }
}

run "no_way_out_is_nothing_at_all" {
  command = apply

  variables {
    mode = "none"
  }

  assert {
    condition     = length(aws_eip.this) == 0 && length(aws_route.gateway) + length(aws_route.instance) == 0
    error_message = "Without a way out there is no route."
  }
}

run "a_mode_that_is_none_of_the_three_is_refused" {
  command = plan

  variables {
    mode = "endpoints"
  }

  expect_failures = [var.mode]
}

run "a_machine_of_another_processor_is_refused" {
  command = plan

  variables {
    instance_type = "t3.micro"
  }

  expect_failures = [var.instance_type]
}
