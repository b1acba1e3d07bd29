output "id" {
  description = "The pool."
  value       = aws_cognito_user_pool.this.id
}

output "client_id" {
  description = "The application's id here: the audience that its tokens are for."
  value       = aws_cognito_user_pool_client.app.id
}

output "issuer" {
  description = "Who signs the tokens."
  value       = "https://${aws_cognito_user_pool.this.endpoint}"
}
