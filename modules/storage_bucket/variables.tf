variable "name" {
  description = "Beginning of the bucket's name; short, since the account's number comes after it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,27}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A bucket's name begins with 3 to 28 characters of a-z, 0-9 and single hyphens, the first a letter."
  }
}

variable "purpose" {
  description = "What lies in the bucket, as one word."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.purpose))
    error_message = "A purpose has 2 to 20 characters of a-z, 0-9 and hyphens and starts with a letter."
  }
}

variable "key_arn" {
  description = "Key that encrypts the objects; null: S3's own encryption."
  type        = string
  default     = null
}

variable "transitions" {
  description = "Cheaper storage classes, each with the days after which an object goes there."
  type        = map(number)
  default     = { INTELLIGENT_TIERING = 30, GLACIER_IR = 90 }

  validation {
    condition     = alltrue([for class, days in var.transitions : contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"], class) && days >= 1])
    error_message = "Classes are STANDARD_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER and DEEP_ARCHIVE, each after a day or more."
  }
}

variable "expire_days" {
  description = "Days after which an object goes; null: objects stay."
  type        = number
  default     = null

  validation {
    condition     = var.expire_days == null || try(var.expire_days >= 1, false)
    error_message = "Objects live a day at least."
  }
}

variable "expire_prefixes" {
  description = "Days after which objects go that lie below a prefix."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for prefix, days in var.expire_prefixes : endswith(prefix, "/") && days >= 1])
    error_message = "A prefix ends in a slash, and its objects live a day at least."
  }
}

variable "noncurrent_days" {
  description = "Days that an overwritten or deleted object can still be taken back."
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_days >= 1 && var.noncurrent_days <= 365
    error_message = "Earlier versions are kept for 1 to 365 days."
  }
}

variable "writers" {
  description = "Services of AWS that write their logs into it: cloudtrail, flow_logs, load_balancer."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for writer in var.writers : contains(["cloudtrail", "flow_logs", "load_balancer"], writer)])
    error_message = "Writers are cloudtrail, flow_logs and load_balancer."
  }
}

variable "reader_distribution_arns" {
  description = "CloudFront distributions that read from it, each by its own origin access control."
  type        = list(string)
  default     = []
}

variable "disposable" {
  description = "Whether the bucket may be deleted with what lies in it: a test's may, nobody else's."
  type        = bool
  default     = false
}
