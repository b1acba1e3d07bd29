mock_provider "aws" {}

variables {
  name      = "platform-demo"
  topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms"
}

run "findings_of_medium_severity_are_told" {
  command = apply

  assert {
    condition     = aws_guardduty_detector.this.enable && toset(keys(aws_guardduty_detector_feature.this)) == toset(["RDS_LOGIN_EVENTS", "S3_DATA_EVENTS"])
    error_message = "On, and looking at logins and objects."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this.event_pattern).detail.severity[0].numeric == [">=", 4] && aws_cloudwatch_event_target.this.arn == var.topic_arn
    error_message = "From medium on the topic hears of it."
  }
}

run "a_feature_that_aws_does_not_have_is_refused" {
  command = plan

  variables {
    features = ["EVERYTHING"]
  }

  expect_failures = [var.features]
}

run "a_severity_beyond_the_scale_is_refused" {
  command = plan

  variables {
    least_severity = 10
  }

  expect_failures = [var.least_severity]
}
