variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,79}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 80 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "domain" {
  description = "Domain of the zone, without a dot at its end."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain)) && length(var.domain) <= 200
    error_message = "A domain has two or more labels of a-z, 0-9 and hyphens, as in platform.example.com."
  }
}

variable "health_checks" {
  description = "Names that are asked over HTTPS every thirty seconds, each with the path that is asked for."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for path in values(var.health_checks) : startswith(path, "/")])
    error_message = "A path begins with a slash."
  }
}
