mock_provider "aws" {}

variables {
  name       = "loyalty-production-default"
  purpose    = "transactions"
  key        = { hash = "TransactionId" }
  indexes    = { by-customer = { hash = "CustomerId", range = "Timestamp" }, by-card = { hash = "CardId", range = "Timestamp" } }
  expires_at = "ExpiresAt"
  key_arn    = "arn:aws:kms:us-east-1:123456789012:key/0"
}

run "keys_indexes_and_expiry_are_as_given" {
  command = apply

  assert {
    condition     = toset([for attribute in aws_dynamodb_table.this.attribute : attribute.name]) == toset(["TransactionId", "CustomerId", "CardId", "Timestamp"])
    error_message = "Every key is declared once."
  }

  assert {
    condition     = length(aws_dynamodb_table.this.global_secondary_index) == 2 && aws_dynamodb_table.this.ttl[0].attribute_name == "ExpiresAt"
    error_message = "Two indexes, and rows that expire."
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled && aws_dynamodb_table.this.deletion_protection_enabled && aws_dynamodb_table.this.server_side_encryption[0].enabled
    error_message = "Recoverable, protected and encrypted unless said otherwise."
  }
}

run "no_capacity_at_all_is_refused" {
  command = plan

  variables {
    capacity = { read = 0 }
  }

  expect_failures = [var.capacity]
}
