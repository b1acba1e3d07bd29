# Which requests are traced. The tracing itself is a container beside the application, and a permission of its role.

resource "aws_xray_sampling_rule" "this" {
  rule_name      = "${substr(var.name, 0, 22)}-${substr(sha1(var.name), 0, 8)}"
  priority       = 9000
  version        = 1
  reservoir_size = var.always_per_second
  fixed_rate     = var.share
  service_name   = "*"
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}

# AWS knows no resources for sending traces; its own policy says just that.
resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.traced_roles

  role       = each.value
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"
}

data "aws_partition" "current" {}

resource "aws_xray_encryption_config" "this" {
  type   = "KMS"
  key_id = var.key_arn
}
