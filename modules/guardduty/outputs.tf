output "detector_id" {
  description = "The detector."
  value       = aws_guardduty_detector.this.id
}
