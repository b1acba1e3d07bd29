# A WebSocket API: functions hear of connections, of their end, and of every message.

resource "aws_apigatewayv2_api" "this" {
  name                       = "${var.name}-websocket"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "function" {
  for_each = var.handlers

  api_id                    = aws_apigatewayv2_api.this.id
  integration_type          = "AWS_PROXY"
  integration_uri           = each.value.invoke_arn
  content_handling_strategy = "CONVERT_TO_TEXT"
}

resource "aws_apigatewayv2_route" "this" {
  # checkov:skip=CKV_AWS_309: $connect's function decides who may connect; a refused connection has no further routes
  for_each = var.handlers

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  authorization_type = "NONE"
  target             = "integrations/${aws_apigatewayv2_integration.function[each.key].id}"
}

resource "aws_lambda_permission" "route" {
  for_each = var.handlers

  statement_id  = "websocket-${trimprefix(each.key, "$")}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.name
  qualifier     = each.value.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/${each.key}"
}

resource "aws_cloudwatch_log_group" "access" {
  # checkov:skip=CKV_AWS_338: access lines are kept as long as the blueprint says
  name              = "/aws/apigateway/${var.name}-websocket"
  retention_in_days = var.logs.days
  kms_key_id        = var.logs.key_arn
}

resource "aws_apigatewayv2_stage" "this" {
  # checkov:skip=CKV2_AWS_51: API Gateway asks for client certificates on REST stages alone
  api_id      = aws_apigatewayv2_api.this.id
  name        = "live"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = jsonencode({ at = "$context.requestTime", route = "$context.routeKey", connection = "$context.connectionId", status = "$context.status" })
  }

  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }
}
