variable "name" {
  description = "Prefix of every name here; short, since AWS gives 32 characters to some of them."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,23}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A short name has 3 to 24 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}
variable "repositories" {
  description = "Images that services run, by name: each has a repository."
  type        = set(string)

  validation {
    condition     = length(var.repositories) >= 1 && alltrue([for name in var.repositories : can(regex("^[a-z][a-z0-9-]{1,40}$", name))])
    error_message = "One repository or more, each of a-z, 0-9 and hyphens."
  }
}

variable "key_arn" {
  description = "Key that encrypts images and the platform's secrets."
  type        = string
}

variable "log_group_prefix" {
  description = "How the names of the log groups begin that tasks write to."
  type        = string
  default     = "/controlplane/"
}

variable "secret_prefix" {
  description = "How the names of the secrets begin that tasks are given when they start."
  type        = string
}

variable "detailed_metrics" {
  description = "Whether Container Insights are on; they are paid as custom metrics."
  type        = bool
  default     = false
}

variable "images_kept" {
  description = "Images that a repository keeps."
  type        = number
  default     = 30

  validation {
    condition     = var.images_kept >= 2 && var.images_kept <= 1000
    error_message = "A repository keeps 2 to 1000 images: a rollback needs the one before."
  }
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
