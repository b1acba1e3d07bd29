output "bus_name" {
  description = "The bus that the application puts its events on."
  value       = aws_cloudwatch_event_bus.this.name
}

output "bus_arn" {
  description = "What a function needs events:PutEvents on."
  value       = aws_cloudwatch_event_bus.this.arn
}
