output "function" {
  description = "The function: its name, its ARN, and the ARNs by which its live version is called."
  value = {
    name       = aws_lambda_function.this.function_name
    arn        = aws_lambda_function.this.arn
    alias      = aws_lambda_alias.live.name
    alias_arn  = aws_lambda_alias.live.arn
    invoke_arn = aws_lambda_alias.live.invoke_arn
  }
}

output "alias_arn" {
  description = "What a caller needs lambda:InvokeFunction on."
  value       = aws_lambda_alias.live.arn
}

output "function_name" {
  description = "The function's name, as metrics carry it."
  value       = aws_lambda_function.this.function_name
}

output "role_name" {
  description = "The function's role."
  value       = aws_iam_role.this.name
}
