variable "name" {
  description = "Prefix of every name here; no two platforms share it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,62}$", var.name)) && !strcontains(var.name, "--") && !endswith(var.name, "-")
    error_message = "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, starts with a letter and ends in a letter or digit."
  }
}

variable "rules" {
  description = "What leads to which function: events by source and type, or a schedule such as rate(1 hour)."
  type = map(object({
    sources  = optional(list(string), [])
    types    = optional(list(string), [])
    schedule = optional(string)
    function = object({
      name       = string
      arn        = string
      alias      = string
      alias_arn  = string
      invoke_arn = string
    })
  }))

  validation {
    condition     = alltrue([for rule in values(var.rules) : (rule.schedule == null) != (length(rule.sources) + length(rule.types) == 0)])
    error_message = "A rule has either a schedule, or sources or types of events."
  }

  validation {
    condition     = alltrue([for rule in values(var.rules) : rule.schedule == null || can(regex("^(rate|cron)[(].+[)]$", rule.schedule))])
    error_message = "A schedule is written as rate(1 hour) or cron(0 3 * * ? *)."
  }
}

variable "dead_letter_arn" {
  description = "Queue for events that could not be delivered."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:sqs:", var.dead_letter_arn))
    error_message = "The ARN of a queue."
  }
}

variable "key_arn" {
  description = "Key that it is encrypted with."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.key_arn))
    error_message = "The ARN of a KMS key."
  }
}
