variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "key_arn" {
  description = "Key that encrypts the backups; AWS Backup may use it."
  type        = string
}

variable "rules" {
  description = "When backups are made, in AWS's cron form, and how many days each is kept."
  type        = map(object({ schedule = string, keep_days = number }))
  default     = { daily = { schedule = "cron(0 3 * * ? *)", keep_days = 7 } }

  validation {
    condition     = length(var.rules) >= 1 && alltrue([for rule in var.rules : can(regex("^cron\\(.+\\)$", rule.schedule)) && rule.keep_days >= 1 && rule.keep_days <= 3650])
    error_message = "A rule has a schedule like cron(0 3 * * ? *) and keeps its backups 1 to 3650 days."
  }
}

variable "tag" {
  description = "What carries this tag is backed up."
  type        = object({ key = string, value = string })

  validation {
    condition     = var.tag.key != "" && var.tag.value != ""
    error_message = "A tag has a key and a value: an empty one would choose nothing."
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
