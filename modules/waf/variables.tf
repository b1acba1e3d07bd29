variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "scope" {
  description = "REGIONAL for a load balancer, a REST API or a user pool; CLOUDFRONT, in us-east-1, for a distribution."
  type        = string
  default     = "REGIONAL"

  validation {
    condition     = contains(["REGIONAL", "CLOUDFRONT"], var.scope)
    error_message = "A web ACL is REGIONAL or CLOUDFRONT."
  }
}

variable "rate_limit" {
  description = "Requests of one address in five minutes, beyond which it is blocked."
  type        = number
  default     = 1000

  validation {
    condition     = var.rate_limit >= 10 && var.rate_limit <= 2000000000
    error_message = "AWS allows 10 to 2000000000 requests."
  }
}

variable "bot_control" {
  description = "Whether AWS's managed bot control is asked; it has a monthly price of its own."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "Days that the log of requests is kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
  }
}

variable "log_key_arn" {
  description = "Key that encrypts the log, of the web ACL's region; null: CloudWatch's own encryption."
  type        = string
  default     = null
}

variable "protected_arns" {
  description = "Load balancers, REST stages or user pools that it stands before, each under a name of its own."
  type        = map(string)
  default     = {}

  validation {
    condition     = var.scope == "REGIONAL" || length(var.protected_arns) == 0
    error_message = "A distribution names its web ACL itself: here stand regional resources only."
  }
}
