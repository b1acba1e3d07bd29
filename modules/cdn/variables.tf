variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "origins" {
  description = "Where answers come from, by name: a host, or a bucket that CloudFront signs its requests to."
  type = map(object({
    domain = string
    bucket = optional(bool, false)
    tls    = optional(bool, true)
  }))

  validation {
    condition     = length(var.origins) >= 1
    error_message = "At least one origin."
  }
}

variable "default_origin" {
  description = "Origin of every path that no behaviour names."
  type        = string
}

variable "default_ttl_seconds" {
  description = "How long its answers are kept; 0: they are not."
  type        = number
  default     = 0

  validation {
    condition     = var.default_ttl_seconds >= 0 && var.default_ttl_seconds <= 31536000
    error_message = "0 to 31536000 seconds, which is a year."
  }
}

variable "behaviours" {
  description = "Paths with their origin and how long an answer is kept; 0 keeps nothing and lets every method and header through."
  type        = list(object({ path = string, origin = string, ttl_seconds = number }))
  default     = []

  validation {
    condition     = alltrue([for behaviour in var.behaviours : startswith(behaviour.path, "/") && behaviour.ttl_seconds >= 0 && behaviour.ttl_seconds <= 31536000])
    error_message = "A path starts with a slash, and an answer is kept for 0 seconds to a year."
  }
}

variable "aliases" {
  description = "Domains that people call; none: CloudFront's own name."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "Certificate of the aliases, from us-east-1: CloudFront looks nowhere else."
  type        = string
  default     = null
}

variable "zone_id" {
  description = "Hosted zone of the aliases, where their records are made."
  type        = string
  default     = null
}

variable "web_acl_arn" {
  description = "Web ACL of the scope CLOUDFRONT, from us-east-1."
  type        = string
}

variable "price_class" {
  description = "Which of the world's places serve: PriceClass_100, PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "One of PriceClass_100, PriceClass_200, PriceClass_All."
  }
}
