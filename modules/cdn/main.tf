# CloudFront before the platform: TLS ends here, the web ACL stands here, and each path has its own caching.

locals {
  buckets = { for name, origin in var.origins : name => origin if origin.bucket }

  # AWS's own policies, by their fixed ids.
  caching_disabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  all_but_host      = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
  default_behaviour = { path = "*", origin = var.default_origin, ttl_seconds = var.default_ttl_seconds }
}

resource "aws_cloudfront_origin_access_control" "this" {
  for_each = local.buckets

  name                              = "${var.name}-${each.key}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# One policy for each time that something may be kept.
resource "aws_cloudfront_cache_policy" "kept" {
  for_each = { for seconds in distinct(compact([for behaviour in concat(var.behaviours, [local.default_behaviour]) : behaviour.ttl_seconds > 0 ? tostring(behaviour.ttl_seconds) : ""])) : seconds => tonumber(seconds) }

  name        = "${var.name}-${each.key}s"
  min_ttl     = 0
  default_ttl = each.value
  max_ttl     = each.value

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "this" {
  name = "${var.name}-security"

  security_headers_config {
    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      preload                    = true
      override                   = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  # checkov:skip=CKV_AWS_86: access is logged by the web ACL and the origins
  # checkov:skip=CKV_AWS_310: the origin is spread over zones by itself
  # checkov:skip=CKV_AWS_374: people travel
  # checkov:skip=CKV_AWS_305: what is answered at / is the origin's matter
  # checkov:skip=CKV2_AWS_42: without a domain of its own the distribution has only AWS's certificate
  # checkov:skip=CKV_AWS_174: likewise; with a domain TLS 1.2 is the least
  # checkov:skip=CKV2_AWS_47: the blueprint's web ACL carries the managed groups
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  comment         = var.name
  price_class     = var.price_class
  aliases         = var.aliases
  web_acl_id      = var.web_acl_arn

  dynamic "origin" {
    for_each = var.origins

    content {
      origin_id                = origin.key
      domain_name              = origin.value.domain
      origin_access_control_id = origin.value.bucket ? aws_cloudfront_origin_access_control.this[origin.key].id : null

      dynamic "custom_origin_config" {
        for_each = origin.value.bucket ? [] : [true]

        content {
          http_port              = 80
          https_port             = 443
          origin_protocol_policy = origin.value.tls ? "https-only" : "http-only"
          origin_ssl_protocols   = ["TLSv1.2"]
        }
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = var.default_origin
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = var.default_ttl_seconds > 0 ? ["GET", "HEAD"] : ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = var.default_ttl_seconds > 0
    cache_policy_id            = var.default_ttl_seconds > 0 ? aws_cloudfront_cache_policy.kept[tostring(var.default_ttl_seconds)].id : local.caching_disabled
    origin_request_policy_id   = var.default_ttl_seconds > 0 ? null : local.all_but_host
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = var.behaviours

    content {
      path_pattern               = ordered_cache_behavior.value.path
      target_origin_id           = ordered_cache_behavior.value.origin
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ordered_cache_behavior.value.ttl_seconds > 0 ? ["GET", "HEAD"] : ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = ordered_cache_behavior.value.ttl_seconds > 0
      cache_policy_id            = ordered_cache_behavior.value.ttl_seconds > 0 ? aws_cloudfront_cache_policy.kept[tostring(ordered_cache_behavior.value.ttl_seconds)].id : local.caching_disabled
      origin_request_policy_id   = ordered_cache_behavior.value.ttl_seconds > 0 ? null : local.all_but_host
      response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = length(var.aliases) == 0
    acm_certificate_arn            = length(var.aliases) == 0 ? null : var.certificate_arn
    ssl_support_method             = length(var.aliases) == 0 ? null : "sni-only"
    minimum_protocol_version       = length(var.aliases) == 0 ? null : "TLSv1.2_2021"
  }
}

resource "aws_route53_record" "alias" {
  for_each = toset(var.aliases)

  zone_id = var.zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = aws_cloudfront_distribution.this.domain_name
    zone_id                = aws_cloudfront_distribution.this.hosted_zone_id
    evaluate_target_health = false
  }
}
