variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "handlers" {
  description = "The function that hears of each event: $connect, $disconnect and $default."
  type = map(object({
    name       = string
    arn        = string
    alias      = string
    alias_arn  = string
    invoke_arn = string
  }))

  validation {
    condition     = toset(keys(var.handlers)) == toset(["$connect", "$disconnect", "$default"])
    error_message = "All three of $connect, $disconnect and $default, and nothing else."
  }
}

variable "throttle" {
  description = "Requests a second, and how many may come at once beyond that."
  type        = object({ rate = optional(number, 1000), burst = optional(number, 2000) })
  default     = {}

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.rate <= 10000 && var.throttle.burst >= var.throttle.rate
    error_message = "A rate of 1 to 10000 a second, and a burst that is not below it."
  }
}

variable "logs" {
  description = "Days that log lines are kept, and the key that they are encrypted with."
  type        = object({ days = number, key_arn = string })

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.logs.days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
  }
}
