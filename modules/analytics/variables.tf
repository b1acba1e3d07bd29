variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "bucket" {
  description = "Bucket of the archive; answers lie in it too, under answers/."
  type        = string
}

variable "tables" {
  description = "Tables by name, each with its columns and their types; each is a folder of Parquet by day."
  type        = map(map(string))

  validation {
    condition     = alltrue([for name, columns in var.tables : can(regex("^[a-z][a-z0-9_]{0,62}$", name)) && length(columns) >= 1])
    error_message = "A table has a name of a-z, 0-9 and underscores, and at least one column."
  }
}

variable "gb_per_query" {
  description = "Gigabytes that one question may read: each is paid for."
  type        = number
  default     = 10

  validation {
    condition     = var.gb_per_query >= 1 && var.gb_per_query <= 10000
    error_message = "1 to 10000 GB."
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
