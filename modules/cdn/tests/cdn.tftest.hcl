mock_provider "aws" {}

variables {
  name           = "loyalty-production-default"
  default_origin = "api"
  origins = {
    api    = { domain = "api.example.org" }
    assets = { domain = "assets.s3.us-east-1.amazonaws.com", bucket = true }
  }
  behaviours = [
    { path = "/api/*", origin = "api", ttl_seconds = 0 },
    { path = "/static/*", origin = "assets", ttl_seconds = 86400 },
    { path = "/images/*", origin = "assets", ttl_seconds = 604800 },
  ]
  web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/x/y"
}

run "what_changes_is_not_kept_and_what_stays_is" {
  command = apply

  assert {
    condition     = { for behaviour in aws_cloudfront_distribution.this.ordered_cache_behavior : behaviour.path_pattern => length(behaviour.allowed_methods) } == { "/api/*" = 7, "/static/*" = 2, "/images/*" = 2 }
    error_message = "The API takes every method, what is kept takes GET and HEAD."
  }

  assert {
    condition     = { for seconds, policy in aws_cloudfront_cache_policy.kept : seconds => policy.default_ttl } == { "86400" = 86400, "604800" = 604800 }
    error_message = "A day and a week."
  }

  assert {
    condition     = [for behaviour in aws_cloudfront_distribution.this.ordered_cache_behavior : behaviour.compress] == [false, true, true]
    error_message = "What is kept is compressed."
  }
}

run "plain_http_is_led_to_tls_and_guarded" {
  command = apply

  assert {
    condition     = alltrue([for behaviour in aws_cloudfront_distribution.this.ordered_cache_behavior : behaviour.viewer_protocol_policy == "redirect-to-https"]) && aws_cloudfront_distribution.this.web_acl_id == var.web_acl_arn
    error_message = "HTTPS and the web ACL."
  }

  assert {
    condition     = keys(aws_cloudfront_origin_access_control.this) == ["assets"]
    error_message = "Only buckets are signed to."
  }

  assert {
    condition     = aws_cloudfront_response_headers_policy.this.security_headers_config[0].strict_transport_security[0].access_control_max_age_sec == 63072000
    error_message = "HSTS for two years."
  }
}

run "a_path_without_a_slash_is_refused" {
  command = plan

  variables {
    behaviours = [{ path = "api/*", origin = "api", ttl_seconds = 0 }]
  }

  expect_failures = [var.behaviours]
}
