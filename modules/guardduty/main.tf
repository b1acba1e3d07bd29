# GuardDuty reads trails, flow logs and DNS queries by itself; what it finds is told to the platform's topic.

resource "aws_guardduty_detector" "this" {
  # checkov:skip=CKV2_AWS_3: one account is watched here; an organisation turns it on for all of its own
  enable                       = true
  finding_publishing_frequency = var.frequency
}

resource "aws_guardduty_detector_feature" "this" {
  for_each = var.features

  detector_id = aws_guardduty_detector.this.id
  name        = each.key
  status      = "ENABLED"
}

resource "aws_cloudwatch_event_rule" "this" {
  name        = "${substr(var.name, 0, 50)}-findings"
  description = "Findings of GuardDuty from severity ${var.least_severity} on"

  event_pattern = jsonencode({
    source      = ["aws.guardduty"]
    detail-type = ["GuardDuty Finding"]
    detail      = { severity = [{ numeric = [">=", var.least_severity] }] }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = var.topic_arn
}
