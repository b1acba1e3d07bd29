output "facts" {
  description = "What the control plane reads about this database."
  value = {
    epoch                     = var.slot.epoch
    identifier                = aws_db_instance.this.identifier
    resource_id               = aws_db_instance.this.resource_id
    arn                       = aws_db_instance.this.arn
    endpoint                  = aws_db_instance.this.address
    port                      = aws_db_instance.this.port
    instance_class            = aws_db_instance.this.instance_class
    engine_version            = aws_db_instance.this.engine_version_actual
    multi_az                  = aws_db_instance.this.multi_az
    storage_gb                = aws_db_instance.this.allocated_storage
    database_name             = aws_db_instance.this.db_name
    master_username           = aws_db_instance.this.username
    master_secret             = var.slot.master_secret
    credential_version        = var.slot.credential_version
    kms_key_arn               = aws_db_instance.this.kms_key_id
    final_snapshot_identifier = var.slot.final_snapshot_identifier
  }
}
