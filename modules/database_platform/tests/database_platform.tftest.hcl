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

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/one", key_id = "one" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:alarms" }
  }
}

variables {
  name          = "platform-demo-development-default"
  subnet_ids    = ["subnet-1", "subnet-2"]
  engine_majors = ["15", "16"]
}

run "every_major_has_a_group_that_forces_tls_and_allows_logical_replication" {
  command = apply

  assert {
    condition = alltrue([
      for major in ["15", "16"] : {
        for parameter in aws_db_parameter_group.this[major].parameter : parameter.name => parameter.value
      } == { "rds.force_ssl" = "1", "rds.logical_replication" = "1" }
    ])
    error_message = "A parameter group lost one of its two settings."
  }

  assert {
    condition     = output.parameter_groups == { "15" = "platform-demo-development-default-postgres15", "16" = "platform-demo-development-default-postgres16" }
    error_message = "Parameter groups are given out by major."
  }

  assert {
    condition     = aws_db_parameter_group.this["16"].family == "postgres16"
    error_message = "The family follows the major."
  }
}

run "the_key_rotates_and_encrypts_the_topic" {
  command = apply

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "The key rotates, and can be taken back for thirty days."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.this.arn
    error_message = "The alarm topic is encrypted with the platform's key: AWS's own key would keep CloudWatch out."
  }
}

run "only_alarms_of_this_account_may_publish_and_use_the_key" {
  command = apply

  assert {
    condition     = [for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement.Condition.StringEquals["aws:SourceAccount"]] == ["123456789012"]
    error_message = "The topic takes messages from alarms of this account alone."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this.policy).Statement : can(statement.Principal.AWS) || can(statement.Condition)])
    error_message = "A service uses the key under a condition only."
  }
}

run "a_single_subnet_is_refused" {
  command = plan

  variables {
    subnet_ids = ["subnet-1"]
  }

  expect_failures = [var.subnet_ids]
}

run "no_major_at_all_is_refused" {
  command = plan

  variables {
    engine_majors = []
  }

  expect_failures = [var.engine_majors]
}

run "a_minor_version_is_refused_as_major" {
  command = plan

  variables {
    engine_majors = ["16.4"]
  }

  expect_failures = [var.engine_majors]
}

run "a_key_that_is_gone_in_a_day_is_refused" {
  command = plan

  variables {
    key_deletion_days = 1
  }

  expect_failures = [var.key_deletion_days]
}

run "a_name_that_rds_would_refuse_is_refused" {
  command = plan

  variables {
    name = "platform--demo"
  }

  expect_failures = [var.name]
}

run "who_shall_hear_of_alarms_is_subscribed" {
  command = plan

  variables {
    emails = ["alerts@example.com", "second@example.com"]
  }

  assert {
    condition     = length(aws_sns_topic_subscription.this) == 2
    error_message = "Every address has its subscription."
  }
}

run "what_is_no_address_is_refused" {
  command = plan

  variables {
    emails = ["alerts"]
  }

  expect_failures = [var.emails]
}

run "without_an_archive_nobody_may_export" {
  command = apply

  assert {
    condition     = output.archive_role_arn == null && length(aws_iam_role.archive) == 0
    error_message = "Nothing is archived unless it is asked for."
  }
}

run "an_archive_is_written_by_rds_alone_below_its_prefix" {
  command = apply

  variables {
    archive            = true
    archive_bucket_arn = "arn:aws:s3:::archive"
  }

  assert {
    condition     = output.archive_role_arn == aws_iam_role.archive[0].arn
    error_message = "The role is given out."
  }

  assert {
    condition     = jsondecode(aws_iam_role.archive[0].assume_role_policy).Statement[0].Principal.Service == "export.rds.amazonaws.com" && jsondecode(aws_iam_role_policy.archive[0].policy).Statement[0].Resource == "arn:aws:s3:::archive/databases/*"
    error_message = "RDS writes below databases/ and nowhere else."
  }
}

run "an_archive_without_a_bucket_is_refused" {
  command = plan

  variables {
    archive = true
  }

  expect_failures = [var.archive_bucket_arn]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    archive              = true
    archive_bucket_arn   = "arn:aws:s3:::archive"
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.archive : role.permissions_boundary == var.permissions_boundary])
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
