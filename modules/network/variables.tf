variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name))
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and hyphens and starts with a letter."
  }
}

variable "vpc_cidr" {
  description = "IPv4 range of the VPC; it is cut into sixteen equal parts, of which each tier of subnets uses four."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 20
    error_message = "The range is an IPv4 CIDR block of a size from /16 to /20."
  }
}

variable "zones" {
  description = "Availability zones that the subnets are spread over, in order; a zone is only ever added at the end."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones)
    error_message = "Two to four different availability zones: a Multi-AZ database needs two."
  }
}
