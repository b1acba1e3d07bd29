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

variable "vpc_cidr" {
  description = "IPv4 range of the platform's VPC; sixteen equal parts become its subnets."
  type        = string
}

variable "domain" {
  description = "Domain of the platform; its zone is made here and has to be named by the parent's."
  type        = string
}

variable "monthly_budget_usd" {
  description = "USD a month; whoever is named is told at 80 % and at 100 % of it."
  type        = number
}

variable "alert_emails" {
  description = "Who is told of money and of alarms; each address has to confirm."
  type        = list(string)
}

variable "database_class" {
  description = "Class of the shared database; arm is cheaper for the same work. A change is made in place."
  type        = string
}

variable "database_gb" {
  description = "Storage of the shared database to begin with; it only ever grows."
  type        = number
}

variable "database_ceiling_gb" {
  description = "Up to where that storage grows by itself; a tenth above its beginning at least."
  type        = number
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

variable "protected" {
  description = "Whether databases, tables and user pools refuse to be deleted."
  type        = bool
}

variable "database_life" {
  description = "Which life of the shared database this is: raised when the platform is made again after it was destroyed."
  type        = number
}

variable "nat_mode" {
  description = "How functions reach the internet: a gateway, an instance that is cheaper and fails over by hand, or not."
  type        = string
}

variable "nat_per_zone" {
  description = "Whether every zone has a way out of its own; else a zone's failure takes the others' way out too."
  type        = bool
}

variable "nat_instance_type" {
  description = "Type of a NAT instance."
  type        = string
}

variable "api_concurrency" {
  description = "Calls of the API's function at once at most: what stops a bill and a database from being overrun."
  type        = number
}

variable "requests_per_second" {
  description = "What the API takes before it throttles."
  type        = number
}
