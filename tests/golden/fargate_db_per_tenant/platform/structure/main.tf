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

module "budget" {
  source = "./modules/budgets"

  name        = var.name
  monthly_usd = var.monthly_budget_usd
  emails      = var.alert_emails
}

module "key" {
  source = "./modules/kms"

  name          = var.name
  services      = ["cloudtrail", "cloudwatch", "delivery.logs", "logs"]
  deletion_days = var.key_deletion_days
}

module "network" {
  source = "./modules/network"

  name                 = var.name
  permissions_boundary = var.role_boundary
  vpc_cidr             = var.vpc_cidr
  zones                = var.zones
  interface_endpoints  = var.interface_endpoints
  key_arn              = module.key.key_arn
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
  alarm_topic_arns  = [module.database_platform.alarm_topic_arn]
}

module "database_platform" {
  source = "./modules/database_platform"

  name                 = var.name
  permissions_boundary = var.role_boundary
  subnet_ids           = module.network.database_subnet_ids
  engine_majors        = var.engine_majors
  key_deletion_days    = var.key_deletion_days
  archive              = var.database_archive
  archive_bucket_arn   = module.archive.bucket_arn
}

module "archive" {
  source = "./modules/storage_bucket"

  name        = var.short_name
  purpose     = "archive"
  key_arn     = module.key.key_arn
  transitions = { GLACIER_IR = 90 }
  expire_days = 365
}

module "log_bucket" {
  source = "./modules/storage_bucket"

  name        = var.short_name
  purpose     = "logs"
  writers     = ["cloudtrail", "load_balancer"]
  transitions = { GLACIER_IR = 90 }
  expire_days = 365
}

module "objects" {
  source = "./modules/storage_bucket"

  name    = var.short_name
  purpose = "objects"
  key_arn = module.key.key_arn
}

module "logs" {
  source = "./modules/logs"

  name                 = var.name
  permissions_boundary = var.role_boundary
  groups               = { application = "application", trail = "audit" }
  key_arn              = module.key.key_arn
  archive              = var.log_archive
  archive_bucket_arn   = module.log_bucket.bucket_arn
}

module "trail" {
  source = "./modules/cloudtrail"

  name                 = var.name
  permissions_boundary = var.role_boundary
  bucket               = module.log_bucket.bucket
  key_arn              = module.key.key_arn
  log_group_arn        = module.logs.group_arns["trail"]
}

module "secrets" {
  source = "./modules/secrets"

  name    = var.name
  secrets = var.secrets
  key_arn = module.key.key_arn
}

module "dns" {
  source = "./modules/dns"

  name   = var.name
  domain = var.domain
}

module "certificate" {
  source = "./modules/certificate"

  domain  = module.dns.domain
  zone_id = module.dns.zone_id
}

module "load_balancer" {
  source = "./modules/load_balancer"

  name                          = var.short_name
  vpc_id                        = module.network.vpc_id
  subnet_ids                    = module.network.public_subnet_ids
  certificate_arn               = module.certificate.certificate_arn
  application_security_group_id = module.network.application_security_group_id
  log_bucket                    = module.log_bucket.bucket
  protected                     = var.protected
}

module "waf" {
  source = "./modules/waf"

  count = var.waf ? 1 : 0

  name           = var.name
  protected_arns = { load_balancer = module.load_balancer.arn }
  log_key_arn    = module.key.key_arn
}

module "cluster" {
  source = "./modules/fargate_cluster"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  repositories         = ["backend", "frontend"]
  key_arn              = module.key.key_arn
  secret_prefix        = module.secrets.prefix
  detailed_metrics     = var.detailed_metrics
}

module "application" {
  source = "./modules/fargate_service"

  name               = var.short_name
  cluster            = module.cluster.cluster
  roles              = { execution = module.cluster.execution_role_arn, boundary = var.role_boundary }
  log_group          = module.logs.groups["application"]
  subnet_ids         = module.network.application_subnet_ids
  security_group_ids = [module.network.application_security_group_id]
  target_group_arn   = module.load_balancer.target_group_arn
  scaling            = { least = var.tasks, most = var.most_tasks }
  permissions = [
    {
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = [module.objects.tenant_objects_arn]
    },
    { actions = ["secretsmanager:GetSecretValue"], resources = [module.secrets.tenant_secrets_arn] },
    { actions = ["ssm:GetParameter"], resources = [module.secrets.tenant_routes_arn] },
    { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [module.key.key_arn] },
  ]
  containers = {
    frontend = { image = var.frontend_image, port = 8080, served = true }
    backend  = { image = var.backend_image, environment = { PORT = "3000" } }
  }
}

module "alarms" {
  source = "./modules/platform_alarms"

  name          = var.name
  topic_arn     = module.database_platform.alarm_topic_arn
  emails        = var.alert_emails
  cluster       = module.cluster.cluster
  service       = module.application.service
  load_balancer = module.load_balancer.arn_suffix
  target_group  = module.load_balancer.target_group_suffix
  bucket        = module.objects.bucket
  dashboard     = var.dashboard
}
