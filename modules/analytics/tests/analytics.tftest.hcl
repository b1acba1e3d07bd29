mock_provider "aws" {}

variables {
  name    = "shop-production-default"
  bucket  = "shop-archive"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/0"
  tables  = { orders = { id = "string", total = "decimal(12,2)" } }
}

run "a_question_is_bounded_and_its_answer_encrypted" {
  command = apply

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 10737418240 && aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    error_message = "Ten gigabytes, whatever the asker says."
  }

  assert {
    condition     = aws_glue_catalog_table.this["orders"].storage_descriptor[0].location == "s3://shop-archive/orders/" && aws_glue_catalog_database.this.name == "shop_production_default"
    error_message = "A table is a folder of the archive."
  }
}

run "a_table_without_columns_is_refused" {
  command = plan

  variables {
    tables = { orders = {} }
  }

  expect_failures = [var.tables]
}
