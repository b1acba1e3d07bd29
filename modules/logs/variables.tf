variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "groups" {
  description = "Log groups by name, each with its class: application, access or audit."
  type        = map(string)

  validation {
    condition     = alltrue([for name, class in var.groups : can(regex("^[a-z][a-z0-9-]{1,40}$", name)) && contains(["application", "access", "audit"], class)])
    error_message = "A group has a name of a-z, 0-9 and hyphens, and is of class application, access or audit."
  }
}

variable "key_arn" {
  description = "Key that encrypts the groups; null: CloudWatch's own encryption."
  type        = string
  default     = null
}

variable "application_days" {
  description = "Days that logs of the application are kept."
  type        = number
  default     = 7

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.application_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
  }
}

variable "access_days" {
  description = "Days that logs of access are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.access_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
  }
}

variable "audit_days" {
  description = "Days that audit logs are kept; never less than 90."
  type        = number
  default     = 90

  validation {
    condition     = contains([90, 120, 150, 180, 365], var.audit_days)
    error_message = "Audit logs are kept for 90, 120, 150, 180 or 365 days."
  }
}

variable "error_pattern" {
  description = "What a line of an application's log looks like that tells of an error."
  type        = string
  default     = "?ERROR ?FATAL"
}

variable "archive" {
  description = "Whether every line is kept in a bucket as well; else what a group forgets is gone."
  type        = bool
  default     = false
}

variable "archive_bucket_arn" {
  description = "Bucket that keeps the lines, below logs/."
  type        = string
  default     = null

  validation {
    condition     = !var.archive || var.archive_bucket_arn != null
    error_message = "An archive needs its bucket."
  }
}

variable "permissions_boundary" {
  description = "Policy that bounds the roles here, whatever rights they are given; null: none does."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary))
    error_message = "A boundary is a managed policy, by its ARN."
  }
}
