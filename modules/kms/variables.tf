variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "purpose" {
  description = "What the key encrypts, as one word; it ends the alias."
  type        = string
  default     = "platform"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.purpose))
    error_message = "A purpose has 2 to 31 characters of a-z, 0-9 and hyphens and starts with a letter."
  }
}

variable "services" {
  description = "AWS services that encrypt and decrypt with it by themselves, each for this account only."
  type        = set(string)
  default     = ["cloudwatch", "logs"]

  validation {
    condition = alltrue([
      for service in var.services :
      contains(["backup", "budgets", "cloudtrail", "cloudwatch", "delivery.logs", "events", "logs", "s3", "ses", "sns", "sqs"], service)
    ])
    error_message = "Services are of: backup, budgets, cloudtrail, cloudwatch, delivery.logs, events, logs, s3, ses, sns, sqs."
  }
}

variable "deletion_days" {
  description = "Days in which a deleted key can still be taken back."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "AWS allows 7 to 30 days."
  }
}
