mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = { api_endpoint = "https://a1.execute-api.us-east-1.amazonaws.com", execution_arn = "arn:aws:execute-api:us-east-1:123456789012:a1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:x" }
  }
}

variables {
  name = "shop-production-default"
  routes = {
    "ANY /api/v1/{proxy+}" = {
      name       = "shop-api"
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:shop-api"
      alias      = "live"
      alias_arn  = "arn:aws:lambda:us-east-1:123456789012:function:shop-api:live"
      invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/shop-api/invocations"
    }
  }
  logs = { days = 30, key_arn = "arn:aws:kms:us-east-1:123456789012:key/0" }
}

run "a_thousand_requests_a_second_and_no_more" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 1000
    error_message = "The stage throttles."
  }

  assert {
    condition     = output.domain == "a1.execute-api.us-east-1.amazonaws.com"
    error_message = "An origin is a host name without a scheme."
  }

  assert {
    condition     = alltrue([for permission in values(aws_lambda_permission.route) : permission.principal == "apigateway.amazonaws.com" && permission.qualifier == "live" && endswith(permission.source_arn, ":a1/*/*")])
    error_message = "Only this API calls the live alias."
  }
}

run "with_tokens_every_route_asks_but_the_open_ones" {
  command = apply

  variables {
    jwt = { issuer = "https://issuer.example", audience = ["shop"] }
  }

  assert {
    condition     = alltrue([for route in values(aws_apigatewayv2_route.this) : route.authorization_type == "JWT"])
    error_message = "A route without a token check appeared."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.jwt[0].jwt_configuration[0].issuer == "https://issuer.example" && aws_apigatewayv2_authorizer.jwt[0].jwt_configuration[0].audience == toset(["shop"])
    error_message = "A token is of this issuer and for this audience."
  }
}

run "an_issuer_without_tls_is_refused" {
  command = plan

  variables {
    jwt = { issuer = "http://issuer.example", audience = ["shop"] }
  }

  expect_failures = [var.jwt]
}

run "every_origin_at_once_is_refused" {
  command = plan

  variables {
    cors_origins = ["*"]
  }

  expect_failures = [var.cors_origins]
}
