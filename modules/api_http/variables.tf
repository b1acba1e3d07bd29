variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "routes" {
  description = "The function behind each route; a route is written as ANY /api/v1/{proxy+}."
  type = map(object({
    name       = string
    arn        = string
    alias      = string
    alias_arn  = string
    invoke_arn = string
  }))

  validation {
    condition     = length(var.routes) >= 1 && alltrue([for route in keys(var.routes) : can(regex("^((ANY|GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9/._{}+-]*|[$]default)$", route))])
    error_message = "At least one route, each a method and a path or $default."
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

variable "jwt" {
  description = "Who issues the tokens that callers show, and for whom; null: no token is asked for here."
  type        = object({ issuer = string, audience = list(string) })
  default     = null

  validation {
    condition     = var.jwt == null || try(startswith(var.jwt.issuer, "https://") && length(var.jwt.audience) >= 1, false)
    error_message = "An issuer that is an https address, and at least one audience: a token for somebody else is not taken."
  }
}

variable "open_routes" {
  description = "Routes that take no token although the others do, such as webhooks."
  type        = set(string)
  default     = []
}

variable "cors_origins" {
  description = "Pages of which origins may call the API from a browser."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "Origins are named one by one, as https://example.org; * is none."
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
