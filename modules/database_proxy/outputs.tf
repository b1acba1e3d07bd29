output "endpoint" {
  description = "Where clients connect, over TLS."
  value       = aws_db_proxy.this.endpoint

  # It answers when it has somebody to ask.
  depends_on = [aws_db_proxy_target.this]
}

output "arn" {
  description = "ARN of the proxy."
  value       = aws_db_proxy.this.arn
}
