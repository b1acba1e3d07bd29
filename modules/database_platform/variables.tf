variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "subnet_ids" {
  description = "Subnets that tenant databases lie in, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS asks for subnets in at least two availability zones, also for a single-AZ database."
  }
}

variable "engine_majors" {
  description = "Majors of PostgreSQL that tenants run here; each has one parameter group."
  type        = set(string)

  validation {
    condition     = length(var.engine_majors) >= 1 && alltrue([for major in var.engine_majors : can(regex("^1[4-9]$", major))])
    error_message = "At least one major, each from 14 to 19."
  }
}

variable "key_deletion_days" {
  description = "Days in which a deleted key can still be taken back."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "AWS allows 7 to 30 days."
  }
}

variable "emails" {
  description = "Addresses that hear of alarms; each confirms once. Empty: somebody else subscribes them."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "E-mail addresses."
  }
}

variable "archive" {
  description = "Whether the last snapshot of a database is exported to the archive's bucket before the database goes."
  type        = bool
  default     = false
}

variable "archive_bucket_arn" {
  description = "Bucket of the archive; only with `archive`."
  type        = string
  default     = null

  validation {
    condition     = !var.archive || var.archive_bucket_arn != null
    error_message = "An archive needs its bucket."
  }
}

variable "permissions_boundary" {
  description = "Policy that bounds the role here, whatever rights it is given; null: none does."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary))
    error_message = "A boundary is a managed policy, by its ARN."
  }
}
