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

variable "code" {
  description = "Bucket that packages lie in, the language they are written in, and what is called in them."
  type = object({
    bucket  = string
    runtime = optional(string, "python3.12")
    handler = optional(string, "app.handler")
  })

  validation {
    condition     = contains(["python3.12", "python3.13", "nodejs20.x", "nodejs22.x", "java21", "dotnet8"], var.code.runtime)
    error_message = "A runtime is one of python3.12, python3.13, nodejs20.x, nodejs22.x, java21, dotnet8."
  }
}

variable "memory_mb" {
  description = "Memory of one execution; its share of a processor grows with it."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "128 to 10240 MB."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which an execution is ended."
  type        = number
  default     = 3

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "1 to 900 seconds."
  }
}

variable "network" {
  description = "Subnets and security groups of a function that reaches into the VPC; null: it stays outside."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}

variable "environment" {
  description = "What the function reads from its environment; no secret, only where one lies."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.environment) : can(regex("^[A-Z][A-Z0-9_]*$", key)) && !can(regex("PASSWORD$|SECRET$|TOKEN$", key))])
    error_message = "Names are in capitals, and none may hold a password, a secret or a token: pass where it lies."
  }
}

variable "permissions" {
  description = "What the function may do, and with what."
  type        = list(object({ actions = list(string), resources = list(string) }))
  default     = []

  validation {
    condition     = alltrue([for permission in var.permissions : alltrue([for action in permission.actions : can(regex("^[a-z0-9-]+:[A-Za-z]+$", action))])])
    error_message = "Every action is named in full, such as sqs:SendMessage: no wildcard."
  }
}

variable "concurrency" {
  description = "Executions at once at most (-1: what the account has), and how many are kept warm."
  type = object({
    reserved    = optional(number, -1)
    provisioned = optional(number, 0)
  })
  default = {}

  validation {
    condition     = var.concurrency.reserved >= -1 && var.concurrency.provisioned >= 0
    error_message = "Reserved is -1 or more, provisioned 0 or more."
  }
}

variable "queue_arns" {
  description = "Queues that feed the function, by their purpose."
  type        = map(string)
  default     = {}
}

variable "logs" {
  description = "Days that log lines are kept, and the key that they are encrypted with."
  type        = object({ days = number, key_arn = string })

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.logs.days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
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
