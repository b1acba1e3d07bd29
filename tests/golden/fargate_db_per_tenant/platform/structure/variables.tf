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

variable "domain" {
  description = "Domain of the platform; tenants are names below it. Its parent zone must name the zone's servers."
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
  description = "IPv4 range of the platform's VPC; sixteen equal parts become its subnets."
  type        = string
}

variable "nat_mode" {
  description = "How tasks reach the internet."
  type        = string
}

variable "nat_per_zone" {
  description = "Whether every zone has a way out of its own."
  type        = bool
}

variable "interface_endpoints" {
  description = "AWS services that are reached without a way out; each is paid by hour and zone."
  type        = list(string)
}

variable "waf" {
  description = "Whether a web ACL stands before the load balancer."
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

variable "log_archive" {
  description = "Whether log lines are kept in a bucket when their groups forget them."
  type        = bool
}

variable "database_archive" {
  description = "Whether a database's last snapshot is exported to a bucket before the database goes; paid by its size."
  type        = bool
}

variable "protected" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
}

variable "frontend_image" {
  description = "Image of the frontend, which serves a task's requests on port 8080 and hands /api on to the backend."
  type        = string
}

variable "backend_image" {
  description = "Image of the backend."
  type        = string
}

variable "secrets" {
  description = "The platform's own secrets, beside those of its tenants."
  type        = list(string)
}

variable "engine_majors" {
  description = "Majors of PostgreSQL that tenants may run; each has one parameter group."
  type        = list(string)
}

variable "key_deletion_days" {
  description = "Days in which a deleted KMS key can still be taken back."
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
