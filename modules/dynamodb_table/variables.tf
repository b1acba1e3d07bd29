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

variable "key" {
  description = "Attributes by which a row is found; all keys are text."
  type        = object({ hash = string, range = optional(string) })

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_.-]{0,254}$", var.key.hash))
    error_message = "An attribute's name has letters, digits and _.- and starts with a letter."
  }
}

variable "indexes" {
  description = "Further ways to find rows, by name."
  type        = map(object({ hash = string, range = optional(string) }))
  default     = {}

  validation {
    condition     = length(var.indexes) <= 20
    error_message = "AWS allows 20 indexes a table."
  }
}

variable "expires_at" {
  description = "Attribute that says when a row may be forgotten; null: rows stay."
  type        = string
  default     = null
}

variable "capacity" {
  description = "Units of reading and writing, for the table and for each of its indexes."
  type        = object({ read = optional(number, 1), write = optional(number, 1) })
  default     = {}

  validation {
    condition     = var.capacity.read >= 1 && var.capacity.read <= 1000 && var.capacity.write >= 1 && var.capacity.write <= 1000
    error_message = "1 to 1000 units each."
  }
}

variable "recoverable" {
  description = "Whether the table can be brought back to any second of the last 35 days."
  type        = bool
  default     = true
}

variable "protected" {
  description = "Whether the table refuses to be deleted."
  type        = bool
  default     = true
}

variable "key_arn" {
  description = "Key that it is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.key_arn))
    error_message = "The ARN of a KMS key."
  }
}
