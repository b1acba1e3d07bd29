variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "topic_arn" {
  description = "Topic that hears of findings; EventBridge may publish to it."
  type        = string
}

variable "least_severity" {
  description = "Severity from which on a finding is told: 4 is medium, 7 is high."
  type        = number
  default     = 4

  validation {
    condition     = var.least_severity >= 1 && var.least_severity <= 8.9
    error_message = "Severities go from 1 to 8.9."
  }
}

variable "frequency" {
  description = "How often a finding that goes on is told again."
  type        = string
  default     = "ONE_HOUR"

  validation {
    condition     = contains(["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"], var.frequency)
    error_message = "FIFTEEN_MINUTES, ONE_HOUR or SIX_HOURS."
  }
}

variable "features" {
  description = "What is looked at beyond trails, flow logs and DNS; each is paid by use."
  type        = set(string)
  default     = ["RDS_LOGIN_EVENTS", "S3_DATA_EVENTS"]

  validation {
    condition     = alltrue([for feature in var.features : contains(["EBS_MALWARE_PROTECTION", "LAMBDA_NETWORK_LOGS", "RDS_LOGIN_EVENTS", "RUNTIME_MONITORING", "S3_DATA_EVENTS"], feature)])
    error_message = "Features are EBS_MALWARE_PROTECTION, LAMBDA_NETWORK_LOGS, RDS_LOGIN_EVENTS, RUNTIME_MONITORING and S3_DATA_EVENTS."
  }
}
