variable "name" {
  description = "The cell, as CONTROLPLANE_CELL names it; part of every name here."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,23}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A cell's name has 2 to 24 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "worker_role_arn" {
  description = "The role that the control plane's workers run as; nobody else takes the roles that are made here."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\\w+=,.@/-]+$", var.worker_role_arn))
    error_message = "Workers are one role of IAM: arn:aws:iam::ACCOUNT:role/NAME."
  }
}

variable "external_id" {
  description = "Said by workers whenever they take a role: made for this cell alone, by a password generator."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@:/-]{16,200}$", var.external_id))
    error_message = "An external id has 16 to 200 characters of letters, digits and _+=,.@:/-."
  }
}

variable "policies" {
  description = "The policies of docs/iam as they stand there: one or more for each role, the boundaries of these and of services' roles, and who is trusted."
  type = object({
    plan     = list(string)
    apply    = list(string)
    data     = list(string)
    boundary = string
    services = string
    trust    = string
  })

  validation {
    condition = alltrue([
      for policy in concat(var.policies.plan, var.policies.apply, var.policies.data, [var.policies.boundary, var.policies.services]) :
      can(jsondecode(policy).Statement) && try(length(jsonencode(jsondecode(policy))) <= 6144, false)
    ])
    error_message = "Each policy is JSON with statements, and no longer than the 6144 characters of a managed policy."
  }

  validation {
    condition     = strcontains(var.policies.trust, "WORKER_ROLE_ARN") && strcontains(var.policies.trust, "EXTERNAL_ID")
    error_message = "The trust policy names WORKER_ROLE_ARN and EXTERNAL_ID, which stand for the workers and for the external id."
  }
}

variable "vpc_id" {
  description = "Where the workers run."
  type        = string
}

variable "database_cidrs" {
  description = "IPv4 ranges of the subnets in which the cell's databases lie."
  type        = set(string)

  validation {
    condition     = length(var.database_cidrs) > 0 && alltrue([for cidr in var.database_cidrs : can(cidrnetmask(cidr)) && cidr != "0.0.0.0/0"])
    error_message = "Ranges are IPv4, such as 10.0.0.0/16, at least one and never the whole world."
  }
}

variable "noncurrent_days" {
  description = "Days for which an older version of a state can be taken back."
  type        = number
  default     = 365

  validation {
    condition     = var.noncurrent_days >= 30 && var.noncurrent_days <= 3650
    error_message = "Older states are kept for 30 to 3650 days."
  }
}
