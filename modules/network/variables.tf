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

variable "public_cidrs" {
  description = "Ranges of the public subnets, one a zone; null: sixteenths of the VPC's."
  type        = list(string)
  default     = null

  validation {
    condition = var.public_cidrs == null || alltrue([
      for cidr in coalesce(var.public_cidrs, []) :
      can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]), 0) > tonumber(split("/", var.vpc_cidr)[1]) && try(cidrhost("${split("/", cidr)[0]}/${split("/", var.vpc_cidr)[1]}", 0), "") == cidrhost(var.vpc_cidr, 0)
    ])
    error_message = "Every range is an IPv4 CIDR block inside the VPC's."
  }
}

variable "application_cidrs" {
  description = "Ranges of the application subnets, one a zone; null: sixteenths of the VPC's."
  type        = list(string)
  default     = null

  validation {
    condition = var.application_cidrs == null || alltrue([
      for cidr in coalesce(var.application_cidrs, []) :
      can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]), 0) > tonumber(split("/", var.vpc_cidr)[1]) && try(cidrhost("${split("/", cidr)[0]}/${split("/", var.vpc_cidr)[1]}", 0), "") == cidrhost(var.vpc_cidr, 0)
    ])
    error_message = "Every range is an IPv4 CIDR block inside the VPC's."
  }
}

variable "database_cidrs" {
  description = "Ranges of the database subnets, one a zone; null: sixteenths of the VPC's."
  type        = list(string)
  default     = null

  validation {
    condition = var.database_cidrs == null || alltrue([
      for cidr in coalesce(var.database_cidrs, []) :
      can(cidrnetmask(cidr)) && try(tonumber(split("/", cidr)[1]), 0) > tonumber(split("/", var.vpc_cidr)[1]) && try(cidrhost("${split("/", cidr)[0]}/${split("/", var.vpc_cidr)[1]}", 0), "") == cidrhost(var.vpc_cidr, 0)
    ])
    error_message = "Every range is an IPv4 CIDR block inside the VPC's."
  }

  validation {
    condition = alltrue(flatten([
      for i, a in concat(coalesce(var.public_cidrs, []), coalesce(var.application_cidrs, []), coalesce(var.database_cidrs, [])) : [
        for j, b in concat(coalesce(var.public_cidrs, []), coalesce(var.application_cidrs, []), coalesce(var.database_cidrs, [])) :
        i == j || try(
          cidrhost("${split("/", a)[0]}/${min(tonumber(split("/", a)[1]), tonumber(split("/", b)[1]))}", 0)
          != cidrhost("${split("/", b)[0]}/${min(tonumber(split("/", a)[1]), tonumber(split("/", b)[1]))}", 0), true
        )
      ]
    ]))
    error_message = "No two ranges overlap, whichever tiers they are of."
  }

  validation {
    condition     = (var.public_cidrs == null) == (var.application_cidrs == null) && (var.public_cidrs == null) == (var.database_cidrs == null)
    error_message = "The ranges of all three tiers are given, or none."
  }
}

variable "interface_endpoints" {
  description = "AWS services that are reached without a way out, such as logs or secretsmanager; each is paid by hour and zone."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9.-]+$", service)) && !contains(["s3", "dynamodb"], service)])
    error_message = "Services are named as in com.amazonaws.REGION.NAME; s3 and dynamodb are there already, and free."
  }
}

variable "flow_log_days" {
  description = "Days that flow logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365], var.flow_log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180 or 365 days."
  }
}

variable "key_arn" {
  description = "Key that encrypts the flow logs; null: CloudWatch's own encryption."
  type        = string
  default     = null
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
