variable "region" {
  description = "Region that the tenant lives in."
  type        = string
}

variable "tags" {
  description = "Tags of everything here."
  type        = map(string)
}

variable "platform" {
  description = "What the platform gives, as it was recorded."
  type = object({
    database_subnet_group      = string
    database_security_group_id = string
    database_key_arn           = string
    alarm_topic_arn            = string
  })
}

variable "route_parameter" {
  description = "Parameter that the application reads its route from."
  type        = string
}

variable "slots" {
  description = "The tenant's databases by slot (e1 for epoch 1, and so on), each with what its own platform gives."
  type = map(object({
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
    platform = object({
      database_subnet_group      = string
      database_security_group_id = string
      database_key_arn           = string
      alarm_topic_arn            = string
    })
  }))
}

variable "access" {
  description = "The tenant's ways in, by environment of the platform that each is on."
  type = map(object({
    name     = string
    priority = number
    platform = object({
      listener_arn           = string
      target_group_arn       = string
      dns_zone_id            = string
      domain                 = string
      load_balancer_dns_name = string
      load_balancer_zone_id  = string
      bucket_arn             = string
      platform_key_arn       = string
    })
  }))
}
