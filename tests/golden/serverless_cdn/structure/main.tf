# One platform: what the tenants of a blueprint share in one environment and cell. Values stand in
# platform.auto.tfvars.json.

terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # State and lock are the control plane's, served as Terraform's http backend. To work here by hand, with the
  # workspace's id from controlplane.json and a token of your own:
  #
  #   export TF_HTTP_ADDRESS="$CONTROLPLANE_SERVER/v1/workspaces/$(jq -r .workspace controlplane.json)/state"
  #   export TF_HTTP_LOCK_ADDRESS="$TF_HTTP_ADDRESS" TF_HTTP_UNLOCK_ADDRESS="$TF_HTTP_ADDRESS"
  #   export TF_HTTP_USERNAME="$USER" TF_HTTP_PASSWORD="$CONTROLPLANE_TOKEN"
  #   terraform init && terraform plan
  backend "http" {}
}

provider "aws" {
  region = var.region

  default_tags {
    tags = var.tags
  }
}

# Whatever serves CloudFront (its web ACL, its certificate) is only ever looked for there.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = var.tags
  }
}

# The master password is read only while the gate is open, which is when the database is made: an ordinary plan
# reads none. With the gate closed stands a text that RDS refuses.
ephemeral "aws_secretsmanager_secret_version" "master" {
  count = var.credential_write ? 1 : 0

  secret_id = var.master_secret
}

# Only where it lies is read here, never what it holds.
data "aws_secretsmanager_secret" "application" {
  name = var.application_secret
}

locals {
  master_password        = var.credential_write ? ephemeral.aws_secretsmanager_secret_version.master[0].secret_string : "/ the gate is closed /"
  application_secret_arn = data.aws_secretsmanager_secret.application.arn
}

module "budget" {
  source = "./modules/budgets"

  name        = var.name
  monthly_usd = var.monthly_budget_usd
  emails      = var.alert_emails
}

module "key" {
  source = "./modules/kms"

  name     = var.name
  services = ["cloudwatch", "events", "logs", "sns", "sqs"]
}

module "edge_key" {
  source = "./modules/kms"

  providers = { aws = aws.us_east_1 }

  name     = var.name
  purpose  = "edge"
  services = ["logs"]
}

module "alerts" {
  source = "./modules/topic"

  name    = var.name
  purpose = "alerts"
  emails  = var.alert_emails
  key_arn = module.key.key_arn
}

module "network" {
  source = "./modules/network"

  name                 = var.name
  permissions_boundary = var.role_boundary
  vpc_cidr             = var.vpc_cidr
  zones                = var.zones
  key_arn              = module.key.key_arn
}

module "database_platform" {
  source = "./modules/database_platform"

  name                 = var.name
  permissions_boundary = var.role_boundary
  subnet_ids           = module.network.database_subnet_ids
  engine_majors        = var.engine_majors
}

module "database" {
  source = "./modules/shared_database"

  name = var.name
  platform = {
    subnet_group      = module.database_platform.subnet_group
    parameter_groups  = module.database_platform.parameter_groups
    security_group_id = module.network.database_security_group_id
    key_arn           = module.database_platform.key_arn
    alarm_topic_arn   = module.alerts.arn
  }
  instance_class  = var.database_class
  engine_version  = var.engine_version
  multi_az        = var.multi_az
  storage         = { gb = var.database_gb, ceiling_gb = var.database_ceiling_gb }
  backup_days     = var.backup_days
  protected       = var.protected
  life            = var.database_life
  master_password = local.master_password
}

module "nat" {
  source = "./modules/nat"

  name              = var.name
  mode              = var.nat_mode
  per_zone          = var.nat_per_zone
  zones             = var.zones
  vpc_id            = module.network.vpc_id
  vpc_cidr          = var.vpc_cidr
  public_subnet_ids = module.network.public_subnets_by_zone
  route_table_ids   = module.network.application_route_table_ids
  instance_type     = var.nat_instance_type
  alarm_topic_arns  = [module.alerts.arn]
}

module "dns" {
  source = "./modules/dns"

  name   = var.name
  domain = var.domain
}

module "certificate" {
  source = "./modules/certificate"

  providers = { aws = aws.us_east_1 }

  domain  = var.domain
  zone_id = module.dns.zone_id
}

module "web_acl" {
  source = "./modules/waf"

  providers = { aws = aws.us_east_1 }

  name        = var.name
  scope       = "CLOUDFRONT"
  rate_limit  = 1000
  log_key_arn = module.edge_key.key_arn
}

module "exports" {
  source = "./modules/storage_bucket"

  name            = var.short_name
  purpose         = "exports"
  key_arn         = module.key.key_arn
  transitions     = { GLACIER_IR = 90 }
  expire_prefixes = { "backups/" = 365 }
}

module "assets" {
  source = "./modules/storage_bucket"

  name                     = var.short_name
  purpose                  = "assets"
  reader_distribution_arns = [module.cdn.arn]
}

module "cdn" {
  source = "./modules/cdn"

  name = var.name
  origins = {
    api    = { domain = module.api.domain }
    assets = { domain = module.assets.domain_name, bucket = true }
  }
  default_origin      = "assets"
  default_ttl_seconds = 3600
  behaviours          = [{ path = "/api/*", origin = "api", ttl_seconds = 0 }]
  aliases             = [var.domain]
  certificate_arn     = module.certificate.certificate_arn
  zone_id             = module.dns.zone_id
  web_acl_arn         = module.web_acl.web_acl_arn
}

module "packages" {
  source = "./modules/storage_bucket"

  name        = var.short_name
  purpose     = "packages"
  transitions = {}
}

module "handler" {
  source = "./modules/lambda_function"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  purpose              = "api"
  code                 = { bucket = module.packages.bucket }
  logs                 = { days = 7, key_arn = module.key.key_arn }
  timeout_seconds      = 10
  concurrency          = { reserved = var.api_concurrency }
  network = {
    subnet_ids         = module.network.application_subnet_ids
    security_group_ids = [module.network.application_security_group_id]
  }
  environment = {
    DATABASE_HOST     = module.database.endpoint
    DATABASE_NAME     = "app"
    DATABASE_USER     = "app_a"
    DATABASE_SSLMODE  = "require"
    DATABASE_POOL_MAX = "2"
    DATABASE_POOL_MIN = "1"
  }
  permissions = [{ actions = ["rds-db:connect"], resources = [module.database.connect_arn] }]
}

module "api" {
  source = "./modules/api_http"

  name     = var.name
  routes   = { "ANY /api/{proxy+}" = module.handler.function }
  throttle = { rate = var.requests_per_second, burst = 10000 }
  logs     = { days = 30, key_arn = module.key.key_arn }
}

module "watch" {
  source = "./modules/serverless_alarms"

  name                   = var.name
  api_id                 = module.api.id
  functions              = { api = module.handler.function_name }
  database_identifier    = module.database.identifier
  distribution_id        = module.cdn.id
  function_error_percent = 1
  alarm_topic_arn        = module.alerts.arn
}
