variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "platform" {
  description = "What the platform gives its databases."
  type = object({
    subnet_group      = string
    parameter_groups  = map(string)
    security_group_id = string
    key_arn           = string
    alarm_topic_arn   = string
  })
}

variable "instance_class" {
  description = "The database's class; arm is cheaper for the same work."
  type        = string
  default     = "db.t4g.small"

  validation {
    condition     = contains(["db.t3.micro", "db.t3.small", "db.t3.medium", "db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.m6g.large"], var.instance_class)
    error_message = "One of db.t3.micro, db.t3.small, db.t3.medium, db.t4g.micro, db.t4g.small, db.t4g.medium, db.m6g.large."
  }
}

variable "engine_version" {
  description = "Version of PostgreSQL: a major, or one of its minors."
  type        = string
  default     = "16"

  validation {
    condition     = can(regex("^1[4-9]([.][0-9]+)?$", var.engine_version))
    error_message = "A major from 14 to 19, such as 16, or one of its minors, such as 16.6."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over."
  type        = bool
}

variable "storage" {
  description = "Gigabytes to begin with, and up to how many it grows by itself."
  type        = object({ gb = optional(number, 20), ceiling_gb = optional(number, 100) })
  default     = {}

  validation {
    condition     = var.storage.gb >= 20 && var.storage.gb <= 65536 && var.storage.ceiling_gb >= ceil(var.storage.gb * 1.1)
    error_message = "20 to 65536 GB, and a ceiling that is a tenth above that at least: AWS refuses a smaller one."
  }
}

variable "backup_days" {
  description = "Days that automated backups, and with them any second in between, are kept."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "1 to 35 days: without backups there is nothing to bring back."
  }
}

variable "protected" {
  description = "Whether the database refuses to be deleted."
  type        = bool
  default     = true
}

variable "life" {
  description = "Which life of the database this is: raised when the platform is made again, since its last snapshot keeps the name."
  type        = number
  default     = 1

  validation {
    condition     = var.life >= 1 && var.life <= 9999
    error_message = "1 to 9999."
  }
}

variable "connection_percents" {
  description = "Shares of the connections that the class can bear, at which an alarm goes off."
  type        = object({ warning = optional(number, 70), critical = optional(number, 85) })
  default     = {}

  validation {
    condition     = var.connection_percents.warning > 0 && var.connection_percents.warning < var.connection_percents.critical && var.connection_percents.critical < 100
    error_message = "A warning before the critical one, both between 0 and 100."
  }
}

variable "master_password" {
  description = "Sent once, when the database is made; never stored by Terraform."
  type        = string
  sensitive   = true
  ephemeral   = true
}
