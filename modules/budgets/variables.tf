variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "monthly_usd" {
  description = "What the platform may cost a month, in USD."
  type        = number

  validation {
    condition     = var.monthly_usd >= 1 && var.monthly_usd <= 1000000
    error_message = "A budget has 1 to 1000000 USD a month."
  }
}

variable "emails" {
  description = "Addresses that are written to; AWS takes ten at most."
  type        = list(string)

  validation {
    condition     = length(var.emails) >= 1 && length(var.emails) <= 10 && alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "One to ten e-mail addresses: a budget that tells nobody guards nothing."
  }
}

variable "thresholds_percent" {
  description = "Shares of the budget, in per cent of what was really spent, at which the addresses are written to."
  type        = set(number)
  default     = [80, 100]

  validation {
    condition     = contains(var.thresholds_percent, 80) && contains(var.thresholds_percent, 100) && length(var.thresholds_percent) <= 5 && alltrue([for percent in var.thresholds_percent : percent > 0 && percent <= 200])
    error_message = "Two to five thresholds of 1 to 200 per cent, 80 and 100 among them."
  }
}

variable "tags" {
  description = "Cost allocation tags that the budget counts; empty: the whole account."
  type        = map(string)
  default     = {}
}
