# The platform's own zone. Records are made by whoever they lead to.

resource "aws_route53_zone" "this" {
  # checkov:skip=CKV2_AWS_38: signing needs a record in the parent zone, which is not ours
  # checkov:skip=CKV2_AWS_39: queries are logged in us-east-1 only and paid by volume; access is logged where it arrives
  name          = var.domain
  comment       = "Names of ${var.name}"
  force_destroy = false
}

resource "aws_route53_health_check" "this" {
  for_each = var.health_checks

  fqdn              = each.key
  port              = 443
  type              = "HTTPS"
  resource_path     = each.value
  enable_sni        = true
  request_interval  = 30
  failure_threshold = 3

  tags = { Name = "${var.name}-${each.key}" }
}
