mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/x" }
  }
}

variables {
  name            = "loyalty-production-default"
  vpc_id          = "vpc-1"
  subnet_id       = "subnet-1"
  key_arn         = "arn:aws:kms:us-east-1:123456789012:key/0"
  alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms"
}

run "the_cache_listens_to_this_machine_alone" {
  command = apply

  assert {
    condition     = alltrue([for line in ["bind 127.0.0.1", "port 6379", "maxmemory 256mb", "maxmemory-policy allkeys-lru", "save \"\""] : strcontains(aws_instance.this.user_data, line)])
    error_message = "256 MB, least recently used, localhost, 6379, and nothing of it on the disk."
  }
}

run "only_cloudfront_comes_in" {
  command = apply

  assert {
    condition     = aws_vpc_security_group_ingress_rule.cloudfront.prefix_list_id == data.aws_ec2_managed_prefix_list.cloudfront.id && aws_vpc_security_group_ingress_rule.cloudfront.cidr_ipv4 == null
    error_message = "Ingress is from CloudFront's prefix list."
  }

  assert {
    condition     = aws_instance.this.metadata_options[0].http_tokens == "required" && aws_instance.this.root_block_device[0].encrypted
    error_message = "Metadata by token, disk encrypted."
  }
}

run "an_image_is_kept_every_week" {
  command = apply

  assert {
    condition     = strcontains(aws_dlm_lifecycle_policy.weekly.policy_details[0].schedule[0].create_rule[0].cron_expression, "SUN") && aws_dlm_lifecycle_policy.weekly.policy_details[0].target_tags["backup"] == aws_instance.this.tags["backup"]
    error_message = "Weekly, and of this machine."
  }
}

run "without_a_cache_nothing_is_installed" {
  command   = apply
  state_key = "another_machine"

  variables {
    cache_mb = null
  }

  assert {
    condition     = !strcontains(aws_instance.this.user_data, "redis")
    error_message = "The cache is elsewhere."
  }
}

run "an_unknown_machine_is_refused" {
  command = plan

  variables {
    instance_type = "m5.24xlarge"
  }

  expect_failures = [var.instance_type]
}

run "every_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary && aws_iam_role.images.permissions_boundary == var.permissions_boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
