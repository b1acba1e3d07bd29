output "arn" {
  description = "The queue."
  value       = aws_sqs_queue.this.arn
}

output "url" {
  description = "Where messages are sent to."
  value       = aws_sqs_queue.this.url
}

output "dead_arn" {
  description = "The queue of messages that could not be handled."
  value       = aws_sqs_queue.dead.arn
}
