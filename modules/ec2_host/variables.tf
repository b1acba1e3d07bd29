variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "instance_type" {
  description = "What kind of machine it is."
  type        = string
  default     = "t3.micro"

  validation {
    condition     = contains(["t3.micro", "t3.small", "t3.medium", "t3.large", "t4g.micro", "t4g.small", "t4g.medium"], var.instance_type)
    error_message = "One of t3.micro, t3.small, t3.medium, t3.large, t4g.micro, t4g.small, t4g.medium."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_id" {
  description = "A public subnet: CloudFront reaches its origin over the internet."
  type        = string
}

variable "security_group_ids" {
  description = "Groups that it is in besides its own, such as the one that may reach the database."
  type        = list(string)
  default     = []
}

variable "cache_mb" {
  description = "Memory of the cache on the machine; null: the cache is elsewhere."
  type        = number
  default     = 256

  validation {
    condition     = var.cache_mb == null || try(var.cache_mb >= 16 && var.cache_mb <= 4096, false)
    error_message = "16 to 4096 MB, or none."
  }
}

variable "volume_gb" {
  description = "Size of its disk."
  type        = number
  default     = 20

  validation {
    condition     = var.volume_gb >= 8 && var.volume_gb <= 1000
    error_message = "8 to 1000 GB."
  }
}

variable "permissions" {
  description = "What the application on it may do, and with what."
  type        = list(object({ actions = list(string), resources = list(string) }))
  default     = []

  validation {
    condition     = alltrue([for permission in var.permissions : alltrue([for action in permission.actions : can(regex("^[a-z0-9-]+:[A-Za-z]+$", action))])])
    error_message = "Every action is named in full, such as sqs:SendMessage: no wildcard."
  }
}

variable "alarm_topic_arn" {
  description = "Topic that alarms are told to."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "The ARN of a topic."
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

variable "permissions_boundary" {
  description = "Policy that bounds the roles here, whatever rights they are given; null: none does."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary))
    error_message = "A boundary is a managed policy, by its ARN."
  }
}
