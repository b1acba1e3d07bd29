variable "name" {
  description = "Prefix of the platform's names."
  type        = string
}

variable "short_name" {
  description = "The same where AWS takes few characters; it ends in a digest of the whole."
  type        = string
}

variable "region" {
  description = "Region that the platform lies in."
  type        = string
}

variable "zones" {
  description = "Availability zones that it is spread over, in order."
  type        = list(string)
}

variable "tags" {
  description = "Tags of everything here."
  type        = map(string)
}

variable "role_boundary" {
  description = "Policy that bounds the roles made here; null: none does."
  type        = string
}

variable "master_secret" {
  description = "Secret of the shared database's master."
  type        = string
}

variable "application_secret" {
  description = "Secret by which the application logs in to the shared database."
  type        = string
}

variable "credential_write" {
  description = "Whether this plan reads the master's secret."
  type        = bool
}

variable "domain" {
  description = "Domain of the platform; its parent zone must name the zone's servers."
  type        = string
}

variable "alert_emails" {
  description = "Who hears of alarms and of the budget."
  type        = list(string)
}

variable "monthly_budget_usd" {
  description = "What the platform may cost a month; 80 and 100 per cent of it are told."
  type        = number
}

variable "vpc_cidr" {
  description = "IPv4 range of the platform's VPC."
  type        = string
}

variable "public_cidrs" {
  description = "Ranges of the public subnets, one a zone: inside the VPC's, and none over another."
  type        = list(string)
}

variable "application_cidrs" {
  description = "Ranges of the application subnets, one a zone: inside the VPC's, and none over another."
  type        = list(string)
}

variable "database_cidrs" {
  description = "Ranges of the database subnets, one a zone: inside the VPC's, and none over another."
  type        = list(string)
}

variable "nat_mode" {
  description = "How tasks reach the internet."
  type        = string
}

variable "nat_per_zone" {
  description = "Whether every zone has a way out of its own."
  type        = bool
}

variable "dashboard" {
  description = "Whether there is a dashboard."
  type        = bool
}

variable "detailed_metrics" {
  description = "Whether Container Insights are on."
  type        = bool
}

variable "protected" {
  description = "Whether AWS refuses to delete the load balancer and the database."
  type        = bool
}

variable "backend_image" {
  description = "Image of the backend, which listens on port 8080."
  type        = string
}

variable "secrets" {
  description = "The platform's own secrets."
  type        = list(string)
}

variable "database_class" {
  description = "Class of the shared database; arm is cheaper for the same work. A change is made in place."
  type        = string
}

variable "engine_version" {
  description = "Version of PostgreSQL: a major, or one of its minors."
  type        = string
}

variable "engine_majors" {
  description = "Majors of PostgreSQL that have a parameter group here; that of the version is one of them."
  type        = list(string)
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over from the database."
  type        = bool
}

variable "backup_days" {
  description = "Days that the database can be brought back to any second of."
  type        = number
}

variable "database_life" {
  description = "Which life of the shared database this is: raised when the platform is made again after it was destroyed."
  type        = number
}

variable "tasks" {
  description = "Tasks that run at least."
  type        = number
}

variable "most_tasks" {
  description = "Tasks that run at most."
  type        = number
}
