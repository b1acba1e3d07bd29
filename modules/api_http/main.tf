# An HTTP API in front of functions. A web ACL cannot stand on an HTTP API: the one that guards it stands on the
# CloudFront distribution before it.

resource "aws_apigatewayv2_api" "this" {
  name          = "${var.name}-http"
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) == 0 ? [] : [var.cors_origins]

    content {
      allow_origins = cors_configuration.value
      allow_methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
      allow_headers = ["authorization", "content-type"]
      max_age       = 3600
    }
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt.issuer
    audience = var.jwt.audience
  }
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = var.routes

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = each.value.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  # checkov:skip=CKV_AWS_309: where no JWT is given, the application decides who may call
  for_each = var.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.function[each.key].id}"
  authorization_type = var.jwt == null || contains(var.open_routes, each.key) ? "NONE" : "JWT"
  authorizer_id      = var.jwt == null || contains(var.open_routes, each.key) ? null : aws_apigatewayv2_authorizer.jwt[0].id
}

resource "aws_lambda_permission" "route" {
  for_each = var.routes

  statement_id  = "route-${substr(sha1(each.key), 0, 12)}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.name
  qualifier     = each.value.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338: access lines are kept as long as the blueprint says
  name              = "/aws/apigateway/${var.name}-http"
  retention_in_days = var.logs.days
  kms_key_id        = var.logs.key_arn
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      at       = "$context.requestTime"
      request  = "$context.requestId"
      route    = "$context.routeKey"
      status   = "$context.status"
      took_ms  = "$context.responseLatency"
      error    = "$context.integrationErrorMessage"
      trace_id = "$context.integration.requestId"
    })
  }

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }
}
