mock_provider "aws" {}

variables {
  identifier        = "acme-e1-read"
  source_arn        = "arn:aws:rds:us-east-1:123456789012:db:acme-e1"
  instance_class    = "db.t4g.small"
  max_storage_gb    = 100
  key_arn           = "arn:aws:kms:us-east-1:123456789012:key/one"
  subnet_group      = "databases"
  security_group_id = "sg-1"
  parameter_group   = "postgres16"
  alarm_topic_arn   = "arn:aws:sns:us-east-1:123456789012:alarms"
}

run "it_follows_private_and_encrypted_and_its_lag_is_watched" {
  command = apply

  assert {
    condition     = aws_db_instance.this.replicate_source_db == var.source_arn && aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "Encrypted and private like its source."
  }

  assert {
    condition     = { for level, alarm in aws_cloudwatch_metric_alarm.lag : level => alarm.threshold } == { warning = 60, critical = 300 }
    error_message = "A minute behind warns, five are critical."
  }
}

run "a_source_without_its_region_is_refused" {
  command = plan

  variables {
    source_arn = "acme-e1"
  }

  expect_failures = [var.source_arn]
}

run "a_class_of_another_service_is_refused" {
  command = plan

  variables {
    instance_class = "t3.micro"
  }

  expect_failures = [var.instance_class]
}
