variable "identifier" {
  description = "Identifier of the replica."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.identifier)) && !strcontains(var.identifier, "--") && !endswith(var.identifier, "-")
    error_message = "An identifier has at most 63 characters of a-z, 0-9 and single hyphens, starts with a letter and does not end in a hyphen."
  }
}

variable "source_arn" {
  description = "ARN of the database that it follows; it may lie in another region."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:rds:[a-z0-9-]+:[0-9]{12}:db:[a-z0-9-]+$", var.source_arn))
    error_message = "The source is named by its ARN, so that a replica in another region finds it."
  }
}

variable "instance_class" {
  description = "Class of the replica; smaller than its source it falls behind."
  type        = string

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "A class is like db.t4g.small."
  }
}

variable "max_storage_gb" {
  description = "Ceiling of storage autoscaling; that of the source, or more."
  type        = number

  validation {
    condition     = var.max_storage_gb >= 22 && var.max_storage_gb <= 65536
    error_message = "The ceiling has 22 to 65536 GB."
  }
}

variable "key_arn" {
  description = "Key of the replica's own region."
  type        = string
}

variable "subnet_group" {
  description = "Subnet group of the replica's VPC."
  type        = string
}

variable "security_group_id" {
  description = "Security group of databases in that VPC."
  type        = string
}

variable "parameter_group" {
  description = "Parameter group of the same major as the source."
  type        = string
}

variable "alarm_topic_arn" {
  description = "Topic that hears of a replica that lies behind."
  type        = string
}

variable "lag_seconds" {
  description = "Seconds behind the source from which it is warned; five times as many are critical."
  type        = number
  default     = 60

  validation {
    condition     = var.lag_seconds >= 1 && var.lag_seconds <= 3600
    error_message = "Warnings begin at 1 to 3600 seconds."
  }
}
