mock_provider "aws" {}

variables {
  master_password = "not-a-real-password"

  platform = {
    database_subnet_group      = "platform-databases"
    database_security_group_id = "sg-1"
    database_key_arn           = "arn:aws:kms:us-east-1:123456789012:key/platform"
    alarm_topic_arn            = "arn:aws:sns:us-east-1:123456789012:alarms"
  }

  slot = {
    epoch                     = 1
    stage                     = "poc"
    cost_tier                 = "poc-micro"
    identifier                = "acme-a1234567-e1"
    final_snapshot_identifier = "acme-a1234567-e1-final"
    instance_class            = "db.t4g.micro"
    engine_version            = "16"
    parameter_group           = "platform-postgres16"
    storage_gb                = 20
    max_storage_gb            = 50
    multi_az                  = false
    backup_days               = 1
    log_days                  = 7
    protected                 = true
    database_name             = "app"
    master_username           = "cp_master"
    master_secret             = "controlplane/acme-a1234567/e1/master"
    credential_version        = 1
    credential_write          = true
    adopted                   = false
    snapshot_identifier       = null
    backup_source             = null
    backup_time               = null
    kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

    alarms = {
      cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
      free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
    }
  }
}

run "a_database_is_encrypted_private_protected_and_leaves_a_snapshot" {
  command = apply

  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == var.slot.kms_key_arn && aws_db_instance.this.storage_type == "gp3"
    error_message = "Storage is gp3, encrypted with the slot's key."
  }

  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.vpc_security_group_ids == toset(["sg-1"])
    error_message = "A database is reached through its one security group only."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier == "acme-a1234567-e1-final" && !aws_db_instance.this.delete_automated_backups
    error_message = "A database is protected, and leaves a final snapshot and its backups."
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.performance_insights_retention_period == 7
    error_message = "Performance Insights are on for the free seven days."
  }

  assert {
    condition     = aws_db_instance.this.engine_lifecycle_support == "open-source-rds-extended-support-disabled"
    error_message = "Extended support is paid for: nobody slips into it."
  }

  assert {
    condition     = aws_db_instance.this.backup_retention_period == 1 && aws_db_instance.this.copy_tags_to_snapshot && aws_db_instance.this.auto_minor_version_upgrade
    error_message = "Backups are kept as decided, tagged, and minors follow by themselves."
  }

  assert {
    condition     = aws_db_instance.this.max_allocated_storage == 50
    error_message = "Storage grows by itself up to its ceiling."
  }

  assert {
    condition     = aws_db_instance.this.tags == tomap({ epoch = "1", stage = "poc", cost-tier = "poc-micro" })
    error_message = "What belongs to a slot carries its epoch."
  }
}

run "logs_are_kept_in_encrypted_groups_for_as_long_as_the_stage_says" {
  command = apply

  assert {
    condition     = toset(keys(aws_cloudwatch_log_group.this)) == toset(["postgresql", "upgrade"]) && aws_db_instance.this.enabled_cloudwatch_logs_exports == toset(["postgresql", "upgrade"])
    error_message = "Both logs are exported, each to a group of ours."
  }

  assert {
    condition     = alltrue([for group in values(aws_cloudwatch_log_group.this) : group.retention_in_days == 7 && group.kms_key_id == var.platform.database_key_arn])
    error_message = "Groups have a retention and the platform's key."
  }
}

run "alarms_compare_strictly_for_their_minutes_and_tell_the_topic" {
  command = apply

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["cpu-warning"].alarm_name == "acme-a1234567-e1-cpu-warning"
    error_message = "An alarm is named after its database."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["cpu-warning"].period * aws_cloudwatch_metric_alarm.this["cpu-warning"].evaluation_periods == 600
    error_message = "Ten minutes are ten minutes."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["free-storage-low"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["free-storage-low"].threshold == 2147483648
    error_message = "Free storage is watched from below."
  }

  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.this) : alarm.alarm_actions == toset([var.platform.alarm_topic_arn])])
    error_message = "Every alarm tells the topic."
  }
}

run "the_password_is_gated_by_its_version_and_in_no_state" {
  command = apply

  assert {
    condition     = aws_db_instance.this.password_wo_version == 1 && aws_db_instance.this.password_wo == null && aws_db_instance.this.password == null
    error_message = "A password reached the state."
  }

  assert {
    condition     = aws_db_instance.this.username == "cp_master" && aws_db_instance.this.db_name == "app"
    error_message = "A new database has our master user."
  }
}

run "production_differs_by_values_only" {
  command = apply

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.small"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 50
      max_storage_gb            = 100
      multi_az                  = true
      backup_days               = 7
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.instance_class == "db.t4g.small"
    error_message = "Production is what the slot says."
  }
}

run "an_adopted_database_gets_no_password_arguments" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = false
      adopted                   = true
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  assert {
    condition     = aws_db_instance.this.password_wo_version == null
    error_message = "An import would reset a living password."
  }
}

run "a_slot_that_leaves_is_unprotected_and_has_no_alarms" {
  command = apply

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = false
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = false
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"
      alarms                    = {}
    }
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "The first of the two applies takes protection and alarms away."
  }
}

run "a_restore_names_neither_database_nor_user" {
  command   = apply
  state_key = "restore"

  variables {
    slot = {
      epoch                     = 2
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e2"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = "acme-a1234567-e1-before"
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  assert {
    condition     = aws_db_instance.this.username != "cp_master" && aws_db_instance.this.db_name != "app"
    error_message = "A snapshot brings its own user."
  }
}

run "an_identifier_that_rds_would_refuse_is_refused" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme--1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  expect_failures = [var.slot]
}

run "less_storage_than_gp3_has_is_refused" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 19
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  expect_failures = [var.slot]
}

run "a_ceiling_below_the_storage_is_refused" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 20
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  expect_failures = [var.slot]
}

run "a_database_without_backups_is_refused" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 0
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  expect_failures = [var.slot]
}

run "an_adopted_database_with_an_open_gate_is_refused" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = true
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"

      alarms = {
        cpu-warning      = { metric = "CPUUtilization", comparison = "GreaterThanThreshold", threshold = 60, minutes = 10 }
        free-storage-low = { metric = "FreeStorageSpace", comparison = "LessThanThreshold", threshold = 2147483648, minutes = 15 }
      }
    }
  }

  expect_failures = [var.slot]
}

run "an_alarm_that_is_not_strict_is_refused" {
  command = plan

  variables {
    slot = {
      epoch                     = 1
      stage                     = "poc"
      cost_tier                 = "poc-micro"
      identifier                = "acme-a1234567-e1"
      final_snapshot_identifier = "acme-a1234567-e1-final"
      instance_class            = "db.t4g.micro"
      engine_version            = "16"
      parameter_group           = "platform-postgres16"
      storage_gb                = 20
      max_storage_gb            = 50
      multi_az                  = false
      backup_days               = 1
      log_days                  = 7
      protected                 = true
      database_name             = "app"
      master_username           = "cp_master"
      master_secret             = "controlplane/acme-a1234567/e1/master"
      credential_version        = 1
      credential_write          = true
      adopted                   = false
      snapshot_identifier       = null
      backup_source             = null
      backup_time               = null
      kms_key_arn               = "arn:aws:kms:us-east-1:123456789012:key/slot"
      alarms                    = { cpu = { metric = "CPUUtilization", comparison = "GreaterThanOrEqualToThreshold", threshold = 60, minutes = 10 } }
    }
  }

  expect_failures = [var.slot]
}
