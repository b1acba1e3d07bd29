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

variable "publishers" {
  description = "AWS services that may publish here."
  type        = set(string)
  default     = ["cloudwatch.amazonaws.com"]

  validation {
    condition     = length(var.publishers) >= 1 && alltrue([for service in var.publishers : can(regex("^[a-z-]+[.]amazonaws[.]com$", service))])
    error_message = "At least one service, as cloudwatch.amazonaws.com."
  }
}

variable "emails" {
  description = "Addresses that hear it; each has to confirm by itself."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", address))])
    error_message = "Every address is one of e-mail."
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
