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

variable "password_length" {
  description = "Characters that a password has at least; small and capital letters, digits and signs are asked for too."
  type        = number
  default     = 12

  validation {
    condition     = var.password_length >= 8 && var.password_length <= 99
    error_message = "8 to 99 characters."
  }
}

variable "mfa" {
  description = "Whether a second factor is asked for: OFF, OPTIONAL or ON."
  type        = string
  default     = "ON"

  validation {
    condition     = contains(["OFF", "OPTIONAL", "ON"], var.mfa)
    error_message = "One of OFF, OPTIONAL, ON."
  }
}

variable "sign_up" {
  description = "Whether people may register by themselves; else an administrator adds them."
  type        = bool
  default     = false
}

variable "attributes" {
  description = "Further attributes that a person has, such as a role."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.attributes : can(regex("^[a-z][a-z_]{0,19}$", name))])
    error_message = "An attribute has 1 to 20 characters of a-z and underscores."
  }
}

variable "providers_by_name" {
  description = "Who else vouches for people: Google, SignInWithApple, each with our id there."
  type        = map(object({ client_id = string, scopes = optional(string, "openid email") }))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.providers_by_name) : contains(["Google", "SignInWithApple"], name)])
    error_message = "Google or SignInWithApple."
  }
}

variable "callback_urls" {
  description = "Where people come back to after they logged in."
  type        = list(string)

  validation {
    condition     = length(var.callback_urls) >= 1 && alltrue([for url in var.callback_urls : startswith(url, "https://")])
    error_message = "At least one address, each with https."
  }
}

variable "refresh_days" {
  description = "Days after which people have to log in again."
  type        = number
  default     = 30

  validation {
    condition     = var.refresh_days >= 1 && var.refresh_days <= 365
    error_message = "1 to 365 days."
  }
}

variable "protected" {
  description = "Whether the pool refuses to be deleted."
  type        = bool
  default     = true
}
