mock_provider "aws" {
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/one/1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-one" }
  }
}

variables {
  name = "platform-demo"
}

run "attacks_and_floods_are_blocked_and_the_rest_passes" {
  command = apply

  assert {
    condition     = length(aws_wafv2_web_acl.this.default_action[0].allow) == 1
    error_message = "What no rule knows is allowed."
  }

  assert {
    condition = one(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [for rate in rule.statement[0].rate_based_statement : "${rate.limit} in ${rate.evaluation_window_sec} by ${rate.aggregate_key_type}"]
    ])) == "1000 in 300 by IP"
    error_message = "One address has a thousand requests in five minutes."
  }

  assert {
    condition = toset(flatten([
      for rule in aws_wafv2_web_acl.this.rule : [for group in rule.statement[0].managed_rule_group_statement : group.name]
    ])) == toset(["AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesBotControlRuleSet"])
    error_message = "Scripting, injection, bad input and bots have their groups."
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : rule.visibility_config[0].cloudwatch_metrics_enabled && rule.visibility_config[0].sampled_requests_enabled])
    error_message = "Every rule is measured and sampled."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && startswith(aws_cloudwatch_log_group.this.name, "aws-waf-logs-")
    error_message = "Requests are logged, and not for ever."
  }
}

run "bot_control_is_paid_and_can_be_left_out" {
  command = plan

  variables {
    bot_control = false
  }

  assert {
    condition     = length(aws_wafv2_web_acl.this.rule) == 4
    error_message = "The rate and three groups stay."
  }
}

run "a_scope_that_aws_does_not_have_is_refused" {
  command = plan

  variables {
    scope = "GLOBAL"
  }

  expect_failures = [var.scope]
}

run "a_log_that_is_kept_for_ever_is_refused" {
  command = plan

  variables {
    log_days = 0
  }

  expect_failures = [var.log_days]
}

run "it_stands_before_what_is_named" {
  command = plan

  variables {
    protected_arns = { load_balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/one/1" }
  }

  assert {
    condition     = keys(aws_wafv2_web_acl_association.this) == ["load_balancer"]
    error_message = "Each named resource is bound to it."
  }
}

run "a_distribution_is_not_bound_from_here" {
  command = plan

  variables {
    scope          = "CLOUDFRONT"
    protected_arns = { distribution = "arn:aws:cloudfront::123456789012:distribution/one" }
  }

  expect_failures = [var.protected_arns]
}
