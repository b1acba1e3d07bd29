output "id" {
  description = "The API, as metrics carry it."
  value       = aws_apigatewayv2_api.this.id
}

output "domain" {
  description = "Host name that the API answers at: the origin of whatever stands before it."
  value       = replace(aws_apigatewayv2_api.this.api_endpoint, "https://", "")
}
