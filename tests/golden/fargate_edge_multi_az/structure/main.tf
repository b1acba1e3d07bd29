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
  services = ["backup", "cloudtrail", "cloudwatch", "delivery.logs", "events", "logs", "sns"]
}

module "edge_key" {
  source = "./modules/kms"

  providers = { aws = aws.us_east_1 }

  name     = var.name
  purpose  = "edge"
  services = ["logs"]
}

module "network" {
  source = "./modules/network"

  name                 = var.name
  permissions_boundary = var.role_boundary
  vpc_cidr             = var.vpc_cidr
  zones                = var.zones
  public_cidrs         = var.public_cidrs
  application_cidrs    = var.application_cidrs
  database_cidrs       = var.database_cidrs
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
}

module "database" {
  source = "./modules/shared_database"

  name            = var.name
  instance_class  = var.database_class
  engine_version  = var.engine_version
  multi_az        = var.multi_az
  backup_days     = var.backup_days
  protected       = var.protected
  life            = var.database_life
  master_password = local.master_password
  platform = {
    subnet_group      = module.database_platform.subnet_group
    parameter_groups  = module.database_platform.parameter_groups
    security_group_id = module.network.database_security_group_id
    key_arn           = module.database_platform.key_arn
    alarm_topic_arn   = module.database_platform.alarm_topic_arn
  }
}

module "log_bucket" {
  source = "./modules/storage_bucket"

  name        = var.short_name
  purpose     = "logs"
  writers     = ["cloudtrail", "load_balancer"]
  transitions = { GLACIER_IR = 90 }
  expire_days = 365
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
  transitions              = {}
  reader_distribution_arns = [module.cdn.arn]
}

module "uploads" {
  source = "./modules/storage_bucket"

  name    = var.short_name
  purpose = "uploads"
  key_arn = module.key.key_arn
}

module "logs" {
  source = "./modules/logs"

  name                 = var.name
  permissions_boundary = var.role_boundary
  groups               = { application = "application", trail = "audit" }
  key_arn              = module.key.key_arn
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

module "edge_certificate" {
  source = "./modules/certificate"

  providers = { aws = aws.us_east_1 }

  domain  = module.dns.domain
  zone_id = module.dns.zone_id
}

module "web_acl" {
  source = "./modules/waf"

  providers = { aws = aws.us_east_1 }

  name        = var.name
  scope       = "CLOUDFRONT"
  log_key_arn = module.edge_key.key_arn
}

module "cdn" {
  source = "./modules/cdn"

  name                = var.name
  default_origin      = "assets"
  default_ttl_seconds = 3600
  behaviours          = [{ path = "/api/*", origin = "api", ttl_seconds = 0 }]
  aliases             = [var.domain]
  certificate_arn     = module.edge_certificate.certificate_arn
  zone_id             = module.dns.zone_id
  web_acl_arn         = module.web_acl.web_acl_arn
  origins = {
    api    = { domain = module.load_balancer.dns_name }
    assets = { domain = module.assets.domain_name, bucket = true }
  }
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
  blue_green                    = true
  catch_all                     = true
  behind_cloudfront             = true
}

module "cluster" {
  source = "./modules/fargate_cluster"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  repositories         = ["backend"]
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
  scaling            = { least = var.tasks, most = var.most_tasks, blue_green = true }
  permissions = [
    {
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = [module.uploads.objects_arn]
    },
    { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [module.key.key_arn] },
  ]
  containers = {
    backend = {
      image  = var.backend_image
      port   = 8080
      served = true
      environment = {
        DATABASE_HOST    = module.database.endpoint
        DATABASE_NAME    = "app"
        DATABASE_SSLMODE = "require"
      }
    }
    xray = { image = "public.ecr.aws/xray/aws-xray-daemon:3.x", port = 2000 }
  }
}

module "deployment" {
  source = "./modules/blue_green_deployment"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  cluster              = module.cluster.cluster
  service              = module.application.service
  listener_arn         = module.load_balancer.listener_arn
  target_group_names   = module.load_balancer.target_group_names
}

module "xray" {
  source = "./modules/xray"

  name         = var.name
  key_arn      = module.key.key_arn
  traced_roles = { application = module.application.task_role }
}

module "backups" {
  source = "./modules/backup_plans"

  name                 = var.name
  permissions_boundary = var.role_boundary
  key_arn              = module.key.key_arn
  tag                  = { key = "blueprint", value = "fargate_edge_multi_az" }
}

module "findings" {
  source = "./modules/topic"

  name       = var.name
  purpose    = "findings"
  publishers = ["events.amazonaws.com"]
  emails     = var.alert_emails
  key_arn    = module.key.key_arn
}

module "guardduty" {
  source = "./modules/guardduty"

  name      = var.name
  topic_arn = module.findings.arn
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
  bucket        = module.uploads.bucket
  dashboard     = var.dashboard
}
