output "name" {
  description = "The table."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "What a function needs dynamodb:PutItem and the like on."
  value       = aws_dynamodb_table.this.arn
}

output "index_arns" {
  description = "What a function needs dynamodb:Query on, to look by an index."
  value       = "${aws_dynamodb_table.this.arn}/index/*"
}
