mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/controlplane-cell/mocked" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/controlplane-cell/mocked" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/mocked" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mocked" }
  }
}

variables {
  name            = "second"
  worker_role_arn = "arn:aws:iam::210987654321:role/workers"
  external_id     = "0123456789abcdef"
  vpc_id          = "vpc-1"
  database_cidrs  = ["10.0.32.0/20", "10.0.48.0/20"]

  policies = {
    plan     = ["{\"Statement\":[{\"Sid\":\"Reads\"}]}"]
    apply    = ["{\"Statement\":[{\"Sid\":\"One\"}]}", "{\"Statement\":[{\"Sid\":\"Two\"}]}"]
    data     = ["{\"Statement\":[{\"Sid\":\"Data\"}]}"]
    boundary = "{\"Statement\":[{\"Sid\":\"Most\"}]}"
    services = "{\"Statement\":[{\"Sid\":\"Services\"}]}"
    trust    = "{\"Statement\":[{\"Principal\":{\"AWS\":\"WORKER_ROLE_ARN\"},\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"EXTERNAL_ID\"},\"StringLike\":{\"sts:RoleSessionName\":[\"op-*\"]}}}]}"
  }
}

run "each_role_is_bounded_and_taken_by_the_workers_with_the_external_id" {
  command = apply

  assert {
    condition     = alltrue([for role in aws_iam_role.this : role.permissions_boundary == aws_iam_policy.boundary.arn && role.path == "/controlplane-cell/"])
    error_message = "Every role has the boundary, and lies where the boundary forbids to touch it."
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.this :
      jsondecode(role.assume_role_policy).Statement[0].Principal.AWS == "arn:aws:iam::210987654321:role/workers" &&
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"] == "0123456789abcdef"
    ])
    error_message = "Only the workers, and only with the external id."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.this : contains(jsondecode(role.assume_role_policy).Statement[0].Condition.StringLike["sts:RoleSessionName"], "op-*")])
    error_message = "A session bears an operation's id."
  }

  assert {
    condition     = toset(keys(output.roles)) == toset(["apply_role", "data_role", "plan_role"])
    error_message = "The cells file gets its three roles."
  }
}

run "an_apply_reads_as_a_plan_does_and_nobody_else_has_its_rights" {
  command = apply

  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.this)) == toset(["plan/plan-1", "apply/plan-1", "apply/apply-1", "apply/apply-2", "data/data-1"])
    error_message = "Each role has its policies, and apply those of plan too."
  }
}

run "what_bounds_the_roles_of_services_is_named_as_whoever_applies_must_name_it" {
  command = apply

  assert {
    condition     = aws_iam_policy.services.path == "/controlplane-cell/" && endswith(aws_iam_policy.services.name, "-services")
    error_message = "The policies of docs/iam ask for arn:aws:iam::*:policy/controlplane-cell/*-services."
  }

  assert {
    condition     = output.role_boundary == aws_iam_policy.services.arn
    error_message = "The cells file gets it."
  }
}

run "states_are_versioned_encrypted_by_a_key_of_their_own_and_private" {
  command = apply

  assert {
    condition     = output.state_bucket == "controlplane-second-state-123456789012" && !aws_s3_bucket.state.force_destroy
    error_message = "The bucket has the name that the data role may write to, and is not lost by a destroy."
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled" && aws_kms_key.state.enable_key_rotation
    error_message = "Every state is kept, under a key that rotates."
  }

  assert {
    condition = one([
      for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule : rule.apply_server_side_encryption_by_default[0].kms_master_key_id
    ]) == aws_kms_key.state.arn
    error_message = "The bucket encrypts with the cell's key."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.state.restrict_public_buckets && aws_s3_bucket_public_access_block.state.block_public_policy
    error_message = "Nobody makes it public."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Without TLS nothing is answered."
  }
}

run "workers_reach_aws_and_the_cell_s_databases" {
  command = apply

  assert {
    condition     = aws_vpc_security_group_egress_rule.https.to_port == 443
    error_message = "AWS is reached by HTTPS."
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.database : "${rule.cidr_ipv4}:${rule.to_port}"]) == toset(["10.0.32.0/20:5432", "10.0.48.0/20:5432"])
    error_message = "Databases are reached on their port, in the cell's ranges."
  }
}

run "an_external_id_that_can_be_guessed_is_refused" {
  command = plan

  variables {
    external_id = "guessed"
  }

  expect_failures = [var.external_id]
}

run "databases_in_the_whole_world_are_refused" {
  command = plan

  variables {
    database_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.database_cidrs]
}

run "a_policy_that_is_none_is_refused" {
  command = plan

  variables {
    policies = { plan = ["nothing"], apply = [], data = [], boundary = "{\"Statement\":[]}", services = "{\"Statement\":[]}", trust = "WORKER_ROLE_ARN EXTERNAL_ID" }
  }

  expect_failures = [var.policies]
}
