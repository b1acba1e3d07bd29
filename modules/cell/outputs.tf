output "roles" {
  description = "The cell's lines in CONTROLPLANE_CELLS_FILE: plan_role, apply_role and data_role."
  value       = { for name, role in aws_iam_role.this : "${name}_role" => role.arn }
}

output "role_boundary" {
  description = "The cell's line in CONTROLPLANE_CELLS_FILE: what bounds the roles that platforms make for services."
  value       = aws_iam_policy.services.arn
}

output "account" {
  description = "The account, for the cells file: a worker does not start in another one."
  value       = local.account
}

output "state_bucket" {
  description = "For CONTROLPLANE_STATE: s3://BUCKET/PREFIX."
  value       = aws_s3_bucket.state.bucket
}

output "state_key_arn" {
  description = "Key of the states."
  value       = aws_kms_key.state.arn
}

output "worker_security_group_id" {
  description = "Security group for the workers."
  value       = aws_security_group.worker.id
}
