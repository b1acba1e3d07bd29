variable "name" {
  description = "Name of the application and its deployments."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,54}$", var.name)) && !endswith(var.name, "-")
    error_message = "A name has 3 to 55 characters of a-z, 0-9 and hyphens and starts with a letter."
  }
}

variable "cluster" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "service" {
  description = "Name of the ECS service; it leaves its deployments to CodeDeploy."
  type        = string
}

variable "listener_arn" {
  description = "Listener whose requests are moved."
  type        = string
}

variable "target_group_names" {
  description = "The two target groups, as blue and green."
  type        = map(string)

  validation {
    condition     = toset(keys(var.target_group_names)) == toset(["blue", "green"])
    error_message = "There are two target groups: blue and green."
  }
}

variable "pace" {
  description = "How requests are moved: all at once, or a tenth a minute."
  type        = string
  default     = "ECSLinear10PercentEvery1Minutes"

  validation {
    condition     = contains(["ECSAllAtOnce", "ECSLinear10PercentEvery1Minutes", "ECSCanary10Percent5Minutes"], var.pace)
    error_message = "ECSAllAtOnce, ECSLinear10PercentEvery1Minutes or ECSCanary10Percent5Minutes."
  }
}

variable "way_back_minutes" {
  description = "Minutes that the old tasks go on after all requests were moved."
  type        = number
  default     = 30

  validation {
    condition     = var.way_back_minutes >= 0 && var.way_back_minutes <= 2880
    error_message = "AWS allows 0 to 2880 minutes."
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
