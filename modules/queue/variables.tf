variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "purpose" {
  description = "What this one is for: the last part of its names, unlike every other of the platform."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.purpose)) && !endswith(var.purpose, "-")
    error_message = "A purpose has 2 to 24 characters of a-z, 0-9 and hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "visibility_seconds" {
  description = "Seconds in which a worker has to be done with a message; six times the worker's time-out."
  type        = number
  default     = 180

  validation {
    condition     = var.visibility_seconds >= 1 && var.visibility_seconds <= 43200
    error_message = "1 to 43200 seconds."
  }
}

variable "retention_days" {
  description = "Days that a message waits at most."
  type        = number
  default     = 4

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "1 to 14 days."
  }
}

variable "attempts" {
  description = "Times that a message is tried before it is laid aside."
  type        = number
  default     = 5

  validation {
    condition     = var.attempts >= 1 && var.attempts <= 1000
    error_message = "1 to 1000 times."
  }
}

variable "key_arn" {
  description = "Key that it is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.key_arn))
    error_message = "The ARN of a KMS key."
  }
}

variable "alarm_topic_arn" {
  description = "Topic that alarms are told to."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "The ARN of a topic."
  }
}
