variable "name" {
  description = "Name of the service, its task and its role."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,54}$", var.name)) && !endswith(var.name, "-")
    error_message = "A service's name has 3 to 55 characters of a-z, 0-9 and hyphens and starts with a letter."
  }
}

variable "cluster" {
  description = "Name of the cluster."
  type        = string
}

variable "containers" {
  description = "Containers of a task by name; the one that is `served` gets the load balancer's requests."
  type = map(object({
    image       = string
    port        = optional(number)
    served      = optional(bool, false)
    writable    = optional(bool, false)
    environment = optional(map(string), {})
    secrets     = optional(map(string), {})
  }))

  validation {
    condition     = length([for container in var.containers : container if container.served && container.port != null]) == 1
    error_message = "Exactly one container is served, and it has a port."
  }
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU."
  type        = number
  default     = 512

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate has 256, 512, 1024, 2048, 4096, 8192 or 16384 CPU units."
  }
}

variable "memory" {
  description = "Memory of a task in MiB; AWS allows 2 to 8 times the CPU units."
  type        = number
  default     = 1024

  validation {
    condition     = var.memory >= 2 * var.cpu && var.memory <= 8 * var.cpu
    error_message = "Memory in MiB is 2 to 8 times the CPU units."
  }
}

variable "roles" {
  description = "The role by which ECS starts tasks, and the policy that bounds the tasks' own role; null: none does."
  type        = object({ execution = string, boundary = optional(string) })

  validation {
    condition     = var.roles.boundary == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:policy/", var.roles.boundary))
    error_message = "A boundary is a managed policy, by its ARN."
  }
}

variable "log_group" {
  description = "Log group that the containers write to."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Tasks are spread over two availability zones or more."
  }
}

variable "security_group_ids" {
  description = "Security groups of the tasks."
  type        = list(string)
}

variable "target_group_arn" {
  description = "Target group that tasks are registered in."
  type        = string
}

variable "scaling" {
  description = "Tasks that run at least and at most, equal for a fixed number; and whether CodeDeploy replaces them blue/green."
  type        = object({ least = number, most = number, blue_green = optional(bool, false) })

  validation {
    condition     = var.scaling.least >= 1 && var.scaling.most >= var.scaling.least && var.scaling.most <= 200
    error_message = "One task at least, 200 at most, and never more at least than at most."
  }
}

variable "permissions" {
  description = "What the application may do in AWS: actions, and the resources that they are for."
  type        = list(object({ actions = list(string), resources = list(string) }))
  default     = []

  validation {
    condition     = alltrue([for permission in var.permissions : !contains(permission.resources, "*") && !contains(permission.actions, "*") && length(permission.resources) > 0])
    error_message = "A permission names its actions and its resources; neither is all of them."
  }
}
