mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:x", url = "https://sqs.us-east-1.amazonaws.com/123456789012/x" }
  }
}

variables {
  name            = "loyalty-production-default"
  purpose         = "email"
  key_arn         = "arn:aws:kms:us-east-1:123456789012:key/0"
  alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms"
}

run "a_message_that_fails_is_laid_aside_and_told_of" {
  command = apply

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 5 && jsondecode(aws_sqs_queue.this.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead.arn
    error_message = "Five attempts, then the dead letter queue."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead.threshold == 0 && length(aws_cloudwatch_metric_alarm.dead.alarm_actions) == 1
    error_message = "The first dead letter raises an alarm that somebody hears."
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.key_arn && aws_sqs_queue.dead.kms_master_key_id == var.key_arn
    error_message = "Both are encrypted with the given key."
  }
}

run "no_attempt_at_all_is_refused" {
  command = plan

  variables {
    attempts = 0
  }

  expect_failures = [var.attempts]
}
