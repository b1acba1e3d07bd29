variable "name" {
  description = "The tenant's prefix: slug and uid. It is the host name below the platform's domain and the prefix of its objects."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !endswith(var.name, "-")
    error_message = "A tenant's prefix is one label of a domain: 3 to 63 characters of a-z, 0-9 and hyphens."
  }
}

variable "environment" {
  description = "Of the platform. A tenant that moves has a way in on two of them, and a policy for each in one account."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+$", var.environment))
    error_message = "An environment is a word of a-z, such as production."
  }
}

variable "priority" {
  description = "Place of the tenant's rule among those of the listener; no two tenants share one."
  type        = number

  validation {
    condition     = var.priority >= 1 && var.priority <= 49999 && var.priority == floor(var.priority)
    error_message = "Priorities go from 1 to 49999; 50000 is the platform's own."
  }
}

variable "platform" {
  description = "What the platform gives to a tenant's way in."
  type = object({
    listener_arn           = string
    target_group_arn       = string
    dns_zone_id            = string
    domain                 = string
    load_balancer_dns_name = string
    load_balancer_zone_id  = string
    bucket_arn             = string
    platform_key_arn       = string
  })
}
