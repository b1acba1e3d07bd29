mock_provider "aws" {}

variables {
  name     = "shop-production-default"
  multi_az = true
  platform = {
    subnet_group      = "shop-databases"
    parameter_groups  = { "16" = "shop-postgres16" }
    security_group_id = "sg-1"
    key_arn           = "arn:aws:kms:us-east-1:123456789012:key/0"
    alarm_topic_arn   = "arn:aws:sns:us-east-1:123456789012:alarms"
  }
  master_password = "/ mocked /"
}

run "it_is_kept_like_a_database_in_production" {
  command = apply

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.storage_type == "gp3" && aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.performance_insights_retention_period == 7
    error_message = "Encrypted, private, protected, with a final snapshot, gp3, seven days of backups and of insights."
  }

  assert {
    condition     = aws_db_instance.this.parameter_group_name == "shop-postgres16" && aws_db_instance.this.max_allocated_storage == 100
    error_message = "The group of its major forces TLS, and storage grows by itself."
  }
}

run "shares_of_connections_follow_the_class" {
  command = apply

  variables {
    connection_percents = { warning = 80, critical = 90 }
  }

  assert {
    condition     = output.max_connections == 225 && aws_cloudwatch_metric_alarm.this["connections-warning"].threshold == 180
    error_message = "2 GB bear 225 connections; four fifths of them are 180."
  }

  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.this) : length(alarm.alarm_actions) == 1])
    error_message = "Every alarm is heard by somebody."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["cpu-critical"].period * aws_cloudwatch_metric_alarm.this["cpu-critical"].evaluation_periods == 600 && aws_cloudwatch_metric_alarm.this["cpu-critical"].threshold == 80
    error_message = "80 % for ten minutes."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["storage-critical"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["storage-critical"].metric_name == "FreeStorageSpace"
    error_message = "Free storage is watched from below."
  }
}

run "a_ceiling_that_aws_would_refuse_is_refused" {
  command = plan

  variables {
    storage = { gb = 100, ceiling_gb = 105 }
  }

  expect_failures = [var.storage]
}

run "no_backup_at_all_is_refused" {
  command = plan

  variables {
    backup_days = 0
  }

  expect_failures = [var.backup_days]
}
