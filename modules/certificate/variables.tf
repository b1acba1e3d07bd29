variable "domain" {
  description = "Domain that the certificate is for, with everything one label below it."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain)) && length(var.domain) <= 200
    error_message = "A domain has two or more labels of a-z, 0-9 and hyphens, as in platform.example.com."
  }
}

variable "zone_id" {
  description = "Zone of the domain, in which it is proven to be ours."
  type        = string
}
