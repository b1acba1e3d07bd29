variable "parameter_name" {
  description = "Path of the parameter from which the application reads where its database is."
  type        = string

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+){2,15}$", var.parameter_name)) && length(var.parameter_name) <= 1011
    error_message = "A parameter path has 2 to 15 parts of letters, digits and _.-, each after a slash."
  }
}
