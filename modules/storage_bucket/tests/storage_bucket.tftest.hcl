mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::one", id = "one" }
  }
}

variables {
  name    = "demo-a1b2c3d4"
  purpose = "objects"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/one"
}

run "it_is_private_encrypted_versioned_and_not_lost_by_a_destroy" {
  command = apply

  assert {
    condition     = aws_s3_bucket.this.bucket == "demo-a1b2c3d4-objects-123456789012" && !aws_s3_bucket.this.force_destroy
    error_message = "The name carries the account; a bucket with objects is not deleted."
  }

  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy, aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets])
    error_message = "No public access of any kind."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "Encrypted with the key, and versioned."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false" && length(jsondecode(aws_s3_bucket_policy.this.policy).Statement) == 1
    error_message = "TLS only, and nobody else is let in."
  }

  assert {
    condition     = { for move in aws_s3_bucket_lifecycle_configuration.this.rule[0].transition : move.storage_class => move.days } == { INTELLIGENT_TIERING = 30, GLACIER_IR = 90 }
    error_message = "Thirty days standard, then tiered, from ninety on in Glacier Instant Retrieval."
  }
}

run "services_write_below_their_own_prefix_for_this_account" {
  command = apply

  variables {
    key_arn         = null
    writers         = ["load_balancer", "cloudtrail"]
    expire_days     = 365
    expire_prefixes = { "backups/" = 365 }
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Sid] == [
      "TlsOnly", "WriteCloudtrail", "WriteLoadBalancer", "LookCloudtrail"
    ]
    error_message = "Each writer has its statements."
  }

  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.expiration[0].days] == [365, 365] && aws_s3_bucket_lifecycle_configuration.this.rule[1].filter[0].prefix == "backups/"
    error_message = "A year, for the bucket and for a prefix of it."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[2].Resource == "arn:aws:s3:::one/access/AWSLogs/123456789012/*"
    error_message = "A load balancer writes below access/ only."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "Without a key S3 encrypts by itself."
  }
}

run "an_unknown_storage_class_is_refused" {
  command = plan

  variables {
    transitions = { CHEAP = 30 }
  }

  expect_failures = [var.transitions]
}

run "an_unknown_writer_is_refused" {
  command = plan

  variables {
    writers = ["everybody"]
  }

  expect_failures = [var.writers]
}

run "a_name_too_long_for_a_bucket_is_refused" {
  command = plan

  variables {
    name = "fargate-db-per-tenant-development-default"
  }

  expect_failures = [var.name]
}
