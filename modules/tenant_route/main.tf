# The route is a container: Terraform makes it and takes it away, the control plane writes what it holds. So
# a cutover is one write of one parameter, with no plan and no apply in its way.
resource "aws_ssm_parameter" "this" {
  # checkov:skip=CKV2_AWS_34: endpoint and epoch are no secret; credentials are never kept here
  # checkov:skip=CKV_AWS_337: what is no secret needs no key of its own
  name        = var.parameter_name
  description = "Where the application finds its database; written by the control plane"
  type        = "String"
  value       = jsonencode({})

  lifecycle {
    ignore_changes = [value, insecure_value]
  }
}
