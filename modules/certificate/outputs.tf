output "certificate_arn" {
  description = "The certificate, once it is proven: a listener or a distribution can take it."
  value       = aws_acm_certificate_validation.this.certificate_arn
}
