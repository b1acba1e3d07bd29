variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "api_id" {
  description = "The HTTP API."
  type        = string
}

variable "functions" {
  description = "Names of the functions that are watched, by their purpose."
  type        = map(string)

  validation {
    condition     = length(var.functions) >= 1
    error_message = "At least one function."
  }
}

variable "database_identifier" {
  description = "The database whose connections are shown."
  type        = string
}

variable "distribution_id" {
  description = "The distribution whose bytes are shown."
  type        = string
}

variable "api_error_percent" {
  description = "Share of 5xx among the API's answers that is too much."
  type        = number
  default     = 1

  validation {
    condition     = var.api_error_percent > 0 && var.api_error_percent <= 50
    error_message = "More than 0 and at most 50 per cent."
  }
}

variable "function_error_percent" {
  description = "Share of a function's calls that fail, that is too much."
  type        = number
  default     = 5

  validation {
    condition     = var.function_error_percent > 0 && var.function_error_percent <= 50
    error_message = "More than 0 and at most 50 per cent."
  }
}

variable "slow_seconds" {
  description = "Seconds that nineteen of twenty answers stay below."
  type        = number
  default     = 2

  validation {
    condition     = var.slow_seconds >= 1 && var.slow_seconds <= 29
    error_message = "1 to 29 seconds: an HTTP API waits no longer."
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
