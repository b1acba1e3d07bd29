# A certificate for a domain and everything one label below it, proven by records in the domain's own zone.

resource "aws_acm_certificate" "this" {
  domain_name               = var.domain
  subject_alternative_names = ["*.${var.domain}"]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# The domain and its wildcard are proven by one and the same record.
resource "aws_route53_record" "proof" {
  for_each = { (var.domain) = one([for option in aws_acm_certificate.this.domain_validation_options : option if option.domain_name == var.domain]) }

  zone_id         = var.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  records         = [each.value.resource_record_value]
  ttl             = 300
  allow_overwrite = true # a second certificate of the same domain, in another region, has the same proof
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for record in aws_route53_record.proof : record.fqdn]
}
