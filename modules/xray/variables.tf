variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "key_arn" {
  description = "Key that encrypts traces."
  type        = string
}

variable "always_per_second" {
  description = "Requests a second that are traced in any case."
  type        = number
  default     = 1

  validation {
    condition     = var.always_per_second >= 0 && var.always_per_second <= 100
    error_message = "0 to 100 requests a second."
  }
}

variable "share" {
  description = "Share of the requests beyond those that is traced, from 0 to 1."
  type        = number
  default     = 0.05

  validation {
    condition     = var.share >= 0 && var.share <= 1
    error_message = "A share lies between 0 and 1."
  }
}

variable "traced_roles" {
  description = "Names of the roles whose tasks send traces, each under a name of its own."
  type        = map(string)
  default     = {}
}
