variable "name" {
  description = "Name of the proxy."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,59}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A proxy's name has at most 60 characters of a-z, 0-9 and single hyphens and starts with a letter."
  }
}

variable "database" {
  description = "Identifier of the database behind it."
  type        = string
}

variable "secret_arns" {
  description = "Secrets of the login roles that may connect, each with username and password."
  type        = list(string)

  validation {
    condition     = length(var.secret_arns) >= 1 && length(var.secret_arns) <= 200
    error_message = "A proxy knows 1 to 200 login roles."
  }
}

variable "key_arn" {
  description = "Key that encrypts those secrets."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "A proxy asks for subnets in at least two availability zones."
  }
}

variable "vpc_id" {
  description = "VPC of those subnets."
  type        = string
}

variable "client_security_group_id" {
  description = "Security group of those who connect to the proxy."
  type        = string
}

variable "database_security_group_id" {
  description = "Security group of the database."
  type        = string
}

variable "connections_percent" {
  description = "Share of the database's connections that the proxy may use."
  type        = number
  default     = 90

  validation {
    condition     = var.connections_percent >= 10 && var.connections_percent <= 100
    error_message = "A proxy uses 10 to 100 per cent of the connections."
  }
}

variable "idle_seconds" {
  description = "Seconds after which a client that says nothing is let go."
  type        = number
  default     = 1800

  validation {
    condition     = var.idle_seconds >= 1 && var.idle_seconds <= 28800
    error_message = "AWS allows 1 to 28800 seconds."
  }
}

variable "vcpus" {
  description = "vCPUs of the database: a proxy is paid by them, and by two at least."
  type        = number
  default     = 2

  validation {
    condition     = var.vcpus >= 2 && var.vcpus <= 128
    error_message = "A database has 2 to 128 vCPUs."
  }
}

variable "permissions_boundary" {
  description = "Policy that bounds the role here, whatever rights it is given; null: none does."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.permissions_boundary))
    error_message = "A boundary is a managed policy, by its ARN."
  }
}
