# A table with provisioned capacity: what it costs is known, and stays within what is free while it is small.

locals {
  keys = distinct(compact(concat(
    [var.key.hash, var.key.range],
    flatten([for index in values(var.indexes) : [index.hash, index.range]]),
  )))
}

resource "aws_dynamodb_table" "this" {
  # checkov:skip=CKV2_AWS_16: capacity is fixed on purpose, within what is free; more would be paid unseen
  name                        = "${var.name}-${var.purpose}"
  billing_mode                = "PROVISIONED"
  hash_key                    = var.key.hash
  range_key                   = var.key.range
  read_capacity               = var.capacity.read
  write_capacity              = var.capacity.write
  deletion_protection_enabled = var.protected

  dynamic "attribute" {
    for_each = local.keys

    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash
      range_key       = global_secondary_index.value.range
      projection_type = "ALL"
      read_capacity   = var.capacity.read
      write_capacity  = var.capacity.write
    }
  }

  dynamic "ttl" {
    for_each = var.expires_at == null ? [] : [var.expires_at]

    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled = var.recoverable
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arn
  }
}
