mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = { execution_arn = "arn:aws:execute-api:us-east-1:123456789012:w1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:x" }
  }
}

variables {
  name = "shop-production-default"
  handlers = {
    for event in ["$connect", "$disconnect", "$default"] : event => {
      name       = "shop-live"
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:shop-live"
      alias      = "live"
      alias_arn  = "arn:aws:lambda:us-east-1:123456789012:function:shop-live:live"
      invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/shop-live/invocations"
    }
  }
  logs = { days = 30, key_arn = "arn:aws:kms:us-east-1:123456789012:key/0" }
}

run "three_routes_and_no_more" {
  command = apply

  assert {
    condition     = toset([for route in values(aws_apigatewayv2_route.this) : route.route_key]) == toset(["$connect", "$disconnect", "$default"])
    error_message = "The three routes of a WebSocket API."
  }

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 1000
    error_message = "The stage throttles."
  }
}

run "a_missing_handler_is_refused" {
  command = plan

  variables {
    handlers = {}
  }

  expect_failures = [var.handlers]
}
