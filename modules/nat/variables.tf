variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "mode" {
  description = "How private subnets reach the internet: gateway, instance, or none at all."
  type        = string

  validation {
    condition     = contains(["gateway", "instance", "none"], var.mode)
    error_message = "The way out is a gateway, an instance or none."
  }
}

variable "per_zone" {
  description = "Whether every zone has a way out of its own; else all zones share that of the first one."
  type        = bool
  default     = true
}

variable "zones" {
  description = "Availability zones, in order."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 1
    error_message = "At least one zone."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "vpc_cidr" {
  description = "Range of the VPC, from which an instance takes packets."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr))
    error_message = "The range is an IPv4 CIDR block."
  }
}

variable "public_subnet_ids" {
  description = "Public subnets by zone: where the way out stands."
  type        = map(string)
}

variable "route_table_ids" {
  description = "Route tables of the private subnets by zone: they are led to the way out."
  type        = map(string)
}

variable "instance_type" {
  description = "Type of a NAT instance."
  type        = string
  default     = "t4g.nano"

  validation {
    condition     = contains(["t4g.nano", "t4g.micro", "t4g.small", "t4g.medium"], var.instance_type)
    error_message = "Types are t4g.nano, t4g.micro, t4g.small and t4g.medium: the image is for arm64."
  }
}

variable "alarm_topic_arns" {
  description = "Topics that hear of an instance whose machine failed."
  type        = list(string)
  default     = []
}
