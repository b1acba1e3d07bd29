variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "domain" {
  description = "Domain that mail is sent from."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+[.])+[a-z]{2,}$", var.domain))
    error_message = "A domain such as example.org."
  }
}

variable "zone_id" {
  description = "Hosted zone of the domain."
  type        = string
}

variable "templates" {
  description = "Texts by the kind of mail; {{name}} stands for what is put in when it is sent."
  type        = map(object({ subject = string, text = string, html = optional(string) }))
  default     = {}

  validation {
    condition     = alltrue([for kind in keys(var.templates) : can(regex("^[a-z][a-z0-9-]{1,30}$", kind))])
    error_message = "A kind of mail has 2 to 31 characters of a-z, 0-9 and hyphens."
  }
}
