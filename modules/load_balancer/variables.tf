variable "name" {
  description = "Prefix of every name here; short, since AWS gives 32 characters to some of them."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A short name has 3 to 24 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "A load balancer asks for subnets in at least two availability zones."
  }
}

variable "certificate_arn" {
  description = "Certificate of the platform's domain, of this region."
  type        = string
}

variable "application_security_group_id" {
  description = "Security group of the tasks: it is opened for the load balancer, on the port and nowhere else."
  type        = string
}

variable "log_bucket" {
  description = "Bucket that takes access logs from load balancers; they can only write to one that S3 itself encrypts."
  type        = string
}

variable "port" {
  description = "Port that the tasks listen on."
  type        = number
  default     = 8080

  validation {
    condition     = var.port >= 1024 && var.port <= 65535
    error_message = "Tasks listen on a port from 1024 to 65535: they are not root."
  }
}

variable "health_path" {
  description = "Path that a task answers with 2xx as long as it is well."
  type        = string
  default     = "/health"

  validation {
    condition     = startswith(var.health_path, "/")
    error_message = "A path begins with a slash."
  }
}

variable "blue_green" {
  description = "Whether there is a second target group, for deployments that put the new tasks beside the old."
  type        = bool
  default     = false
}

variable "catch_all" {
  description = "Whether every host name is served; else only those with a rule of their own."
  type        = bool
  default     = false
}

variable "behind_cloudfront" {
  description = "Whether only CloudFront is let in."
  type        = bool
  default     = false
}

variable "protected" {
  description = "Whether AWS refuses to delete it."
  type        = bool
  default     = true
}
