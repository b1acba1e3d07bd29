output "workgroup" {
  description = "Where questions are asked."
  value       = aws_athena_workgroup.this.name
}

output "database" {
  description = "The catalog's database that the tables are in."
  value       = aws_glue_catalog_database.this.name
}
