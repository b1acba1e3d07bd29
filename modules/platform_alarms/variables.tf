variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "topic_arn" {
  description = "Topic that alarms are sent to; encrypted, and open to CloudWatch."
  type        = string
}

variable "emails" {
  description = "Addresses that hear of alarms; each confirms once."
  type        = list(string)

  validation {
    condition     = length(var.emails) >= 1 && alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "One e-mail address or more: an alarm that tells nobody guards nothing."
  }
}

variable "cluster" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "service" {
  description = "Name of the ECS service."
  type        = string
}

variable "load_balancer" {
  description = "The load balancer as its metrics name it."
  type        = string
}

variable "target_group" {
  description = "The target group as its metrics name it."
  type        = string
}

variable "bucket" {
  description = "Bucket whose size the dashboard shows."
  type        = string
}

variable "dashboard" {
  description = "Whether there is a dashboard; it is paid."
  type        = bool
  default     = true
}
