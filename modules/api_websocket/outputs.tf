output "id" {
  description = "The API, as metrics carry it."
  value       = aws_apigatewayv2_api.this.id
}

output "url" {
  description = "Where clients connect."
  value       = aws_apigatewayv2_stage.this.invoke_url
}

output "connections_arn" {
  description = "What a function needs execute-api:ManageConnections on, to send to a client."
  value       = "${aws_apigatewayv2_stage.this.execution_arn}/POST/@connections/*"
}
