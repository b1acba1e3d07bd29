variable "slot" {
  description = "Everything that is decided about this database. Null stands for: nothing of the kind."
  type = object({
    epoch                     = number
    stage                     = string
    cost_tier                 = string
    identifier                = string
    final_snapshot_identifier = string
    instance_class            = string
    engine_version            = string
    parameter_group           = string
    storage_gb                = number
    max_storage_gb            = number
    multi_az                  = bool
    backup_days               = number
    log_days                  = number
    protected                 = bool
    database_name             = string
    master_username           = string
    master_secret             = string
    credential_version        = number
    credential_write          = bool
    adopted                   = bool
    snapshot_identifier       = string
    backup_source             = string
    backup_time               = string
    kms_key_arn               = string
    alarms = map(object({
      metric     = string
      comparison = string
      threshold  = number
      minutes    = number
    }))
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.slot.identifier)) && !strcontains(var.slot.identifier, "--") && !endswith(var.slot.identifier, "-")
    error_message = "An identifier has at most 63 characters of a-z, 0-9 and single hyphens, starts with a letter and does not end in a hyphen."
  }

  validation {
    condition     = var.slot.epoch >= 1 && var.slot.epoch == floor(var.slot.epoch)
    error_message = "Epochs count from 1."
  }

  validation {
    condition     = var.slot.storage_gb >= 20 && var.slot.storage_gb <= 65536
    error_message = "gp3 storage of PostgreSQL has 20 to 65536 GB."
  }

  validation {
    condition     = var.slot.max_storage_gb >= var.slot.storage_gb * 1.1
    error_message = "The ceiling of autoscaling lies at least ten per cent above the storage."
  }

  validation {
    condition     = var.slot.backup_days >= 1 && var.slot.backup_days <= 35
    error_message = "Automated backups are kept for 1 to 35 days; without them there is no point-in-time recovery."
  }

  validation {
    condition     = var.slot.snapshot_identifier == null || var.slot.backup_source == null
    error_message = "A database is restored from a snapshot or from backups, not from both."
  }

  validation {
    condition     = !(var.slot.adopted && var.slot.credential_write)
    error_message = "An adopted database keeps its password until it is rotated: then it is no longer rendered as adopted."
  }

  validation {
    condition = alltrue([
      for alarm in values(var.slot.alarms) :
      contains(["GreaterThanThreshold", "LessThanThreshold"], alarm.comparison) && alarm.minutes >= 1 && alarm.minutes <= 60
    ])
    error_message = "An alarm compares strictly (GreaterThanThreshold or LessThanThreshold) over 1 to 60 minutes."
  }
}

variable "platform" {
  description = "What the platform gives to all its databases."
  type = object({
    database_subnet_group      = string
    database_security_group_id = string
    database_key_arn           = string
    alarm_topic_arn            = string
  })
}

variable "master_password" {
  description = "The master password while the credential gate is open; some text that RDS refuses while it is closed."
  type        = string
  sensitive   = true
  ephemeral   = true
}
