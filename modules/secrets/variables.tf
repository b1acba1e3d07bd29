variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "secrets" {
  description = "Names of the secrets."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.secrets : can(regex("^[a-z][a-z0-9-]{1,60}$", name))])
    error_message = "A secret has a name of 2 to 61 characters of a-z, 0-9 and hyphens."
  }
}

variable "key_arn" {
  description = "Key that encrypts the secrets."
  type        = string
}

variable "recovery_days" {
  description = "Days in which a deleted secret can still be taken back."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days >= 7 && var.recovery_days <= 30
    error_message = "AWS allows 7 to 30 days."
  }
}
