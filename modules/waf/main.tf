# A web ACL: what is known to be an attack is blocked, one address is held to a rate, the rest passes.

locals {
  rules = {
    common     = { priority = 10, group = "AWSManagedRulesCommonRuleSet" } # cross-site scripting among others
    sql        = { priority = 20, group = "AWSManagedRulesSQLiRuleSet" }
    bad-inputs = { priority = 30, group = "AWSManagedRulesKnownBadInputsRuleSet" } # Log4j among others
    bots       = { priority = 40, group = "AWSManagedRulesBotControlRuleSet" }
  }
  enabled = { for name, rule in local.rules : name => rule if var.bot_control || name != "bots" }
}

resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_192: the group that knows Log4j is among the rules; a scanner does not see through the loop
  name        = "${var.name}-${lower(var.scope)}"
  description = "Requests to ${var.name}"
  scope       = var.scope

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 1

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      metric_name                = "rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.enabled

    content {
      name     = rule.key
      priority = rule.value.priority

      # The group decides itself what it blocks.
      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.value.group
          vendor_name = "AWS"
        }
      }

      visibility_config {
        metric_name                = rule.key
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

# A distribution names its web ACL itself; everything else is bound to it here.
resource "aws_wafv2_web_acl_association" "this" {
  for_each = var.protected_arns

  resource_arn = each.value
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}

# The name's beginning is AWS's condition for a group that takes a web ACL's log.
resource "aws_cloudwatch_log_group" "this" {
  # checkov:skip=CKV_AWS_338: how long requests are kept is decided by class of log, and paid by volume
  name              = "aws-waf-logs-${var.name}-${lower(var.scope)}"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  # Whoever asks is identified by these; they are not ours to keep.
  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }
}
