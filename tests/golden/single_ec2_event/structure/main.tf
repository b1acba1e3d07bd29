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
    api    = { domain = module.host.domain, tls = false }
    assets = { domain = module.assets.domain_name, bucket = true }
  }
  default_origin = "api"
  behaviours = [
    { path = "/api/*", origin = "api", ttl_seconds = 0 },
    { path = "/static/*", origin = "assets", ttl_seconds = 86400 },
    { path = "/images/*", origin = "assets", ttl_seconds = 604800 },
  ]
  aliases         = [var.domain]
  certificate_arn = module.certificate.certificate_arn
  zone_id         = module.dns.zone_id
  web_acl_arn     = module.web_acl.web_acl_arn
}

module "host" {
  source = "./modules/ec2_host"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  instance_type        = var.instance_type
  vpc_id               = module.network.vpc_id
  subnet_id            = module.network.public_subnet_ids[0]
  security_group_ids   = [module.network.application_security_group_id]
  cache_mb             = var.cache_mb
  permissions = [
    {
      actions = ["sqs:SendMessage"]
      resources = [
        module.email_queue.arn,
        module.transaction_queue.arn,
        module.analytics_queue.arn,
        module.export_queue.arn,
      ]
    },
    {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
      resources = [module.sessions.arn, module.audit.arn, module.transactions.arn]
    },
    {
      actions   = ["lambda:InvokeFunction"]
      resources = [module.transaction_worker.alias_arn, module.export_worker.alias_arn]
    },
    { actions = ["s3:GetObject", "s3:PutObject"], resources = [module.files.objects_arn] },
    { actions = ["sns:Publish"], resources = [module.push.arn] },
    { actions = ["rds-db:connect"], resources = [module.database.connect_arn] },
    { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [module.key.key_arn] },
  ]
  alarm_topic_arn = module.alerts.arn
  key_arn         = module.key.key_arn
}

module "files" {
  source = "./modules/storage_bucket"

  name            = var.short_name
  purpose         = "files"
  expire_prefixes = { "backups/" = 365 }
}

module "customers" {
  source = "./modules/user_pool"

  name            = var.short_name
  purpose         = "customers"
  password_length = var.password_length
  mfa             = "OPTIONAL"
  sign_up         = true
  providers_by_name = {
    Google          = { client_id = var.google_client_id }
    SignInWithApple = { client_id = var.apple_client_id, scopes = "email name" }
  }
  callback_urls = var.callback_urls
  protected     = var.protected
}

module "staff" {
  source = "./modules/user_pool"

  name            = var.short_name
  purpose         = "staff"
  password_length = var.staff_password_length
  mfa             = var.staff_mfa
  attributes      = ["role", "business"]
  callback_urls   = var.callback_urls
  refresh_days    = 1
  protected       = var.protected
}

module "transactions" {
  source = "./modules/dynamodb_table"

  name    = var.name
  purpose = "transactions"
  key     = { hash = "TransactionId" }
  indexes = {
    by-customer = { hash = "CustomerId", range = "Timestamp" }
    by-card     = { hash = "CardId", range = "Timestamp" }
  }
  expires_at = "ExpiresAt"
  protected  = var.protected
  key_arn    = module.key.key_arn
}

module "sessions" {
  source = "./modules/dynamodb_table"

  name       = var.name
  purpose    = "sessions"
  key        = { hash = "SessionId" }
  expires_at = "ExpiresAt"
  protected  = var.protected
  key_arn    = module.key.key_arn
}

module "audit" {
  source = "./modules/dynamodb_table"

  name       = var.name
  purpose    = "audit"
  key        = { hash = "Subject", range = "Timestamp" }
  expires_at = "ExpiresAt"
  protected  = var.protected
  key_arn    = module.key.key_arn
}

module "mail" {
  source = "./modules/email"

  name    = var.name
  domain  = var.domain
  zone_id = module.dns.zone_id
  templates = {
    welcome = { subject = "Welcome, {{name}}", text = "Welcome, {{name}}." }
    export  = { subject = "Your export is ready", text = "Fetch it within a day: {{link}}" }
  }
}

module "push" {
  source = "./modules/topic"

  name    = var.name
  purpose = "push"
  key_arn = module.key.key_arn
}

module "packages" {
  source = "./modules/storage_bucket"

  name        = var.short_name
  purpose     = "packages"
  transitions = {}
}

module "email_queue" {
  source = "./modules/queue"

  name               = var.name
  purpose            = "email"
  visibility_seconds = 180
  key_arn            = module.key.key_arn
  alarm_topic_arn    = module.alerts.arn
}

module "email_worker" {
  source = "./modules/lambda_function"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  purpose              = "email"
  code                 = { bucket = module.packages.bucket }
  logs                 = { days = 7, key_arn = module.key.key_arn }
  timeout_seconds      = 30
  concurrency          = { reserved = 5 }
  queue_arns           = { email = module.email_queue.arn }
  permissions = [
    {
      actions   = ["ses:SendEmail", "ses:SendTemplatedEmail"]
      resources = [module.mail.identity_arn]
    },
    { actions = ["kms:Decrypt"], resources = [module.key.key_arn] },
  ]
}

module "transaction_queue" {
  source = "./modules/queue"

  name               = var.name
  purpose            = "transaction"
  visibility_seconds = 180
  key_arn            = module.key.key_arn
  alarm_topic_arn    = module.alerts.arn
}

module "transaction_worker" {
  source = "./modules/lambda_function"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  purpose              = "transaction"
  code                 = { bucket = module.packages.bucket }
  logs                 = { days = 7, key_arn = module.key.key_arn }
  timeout_seconds      = 30
  concurrency          = { reserved = 5 }
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
  queue_arns = { transaction = module.transaction_queue.arn }
  permissions = [
    { actions = ["rds-db:connect"], resources = [module.database.connect_arn] },
    {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources = [module.transactions.arn, module.audit.arn]
    },
    { actions = ["dynamodb:Query"], resources = [module.transactions.index_arns] },
    { actions = ["kms:Decrypt"], resources = [module.key.key_arn] },
  ]
}

module "analytics_queue" {
  source = "./modules/queue"

  name               = var.name
  purpose            = "analytics"
  visibility_seconds = 1800
  key_arn            = module.key.key_arn
  alarm_topic_arn    = module.alerts.arn
}

module "analytics_worker" {
  source = "./modules/lambda_function"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  purpose              = "analytics"
  code                 = { bucket = module.packages.bucket }
  logs                 = { days = 7, key_arn = module.key.key_arn }
  timeout_seconds      = 300
  memory_mb            = 512
  concurrency          = { reserved = 2 }
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
  queue_arns = { analytics = module.analytics_queue.arn }
  permissions = [
    { actions = ["rds-db:connect"], resources = [module.database.connect_arn] },
    { actions = ["s3:PutObject"], resources = [module.files.objects_arn] },
    { actions = ["kms:Decrypt"], resources = [module.key.key_arn] },
  ]
}

module "export_queue" {
  source = "./modules/queue"

  name               = var.name
  purpose            = "export"
  visibility_seconds = 1800
  key_arn            = module.key.key_arn
  alarm_topic_arn    = module.alerts.arn
}

module "export_worker" {
  source = "./modules/lambda_function"

  name                 = var.short_name
  permissions_boundary = var.role_boundary
  purpose              = "export"
  code                 = { bucket = module.packages.bucket }
  logs                 = { days = 7, key_arn = module.key.key_arn }
  timeout_seconds      = 300
  memory_mb            = 512
  concurrency          = { reserved = 2 }
  queue_arns           = { export = module.export_queue.arn }
  permissions = [
    { actions = ["s3:GetObject", "s3:PutObject"], resources = [module.files.objects_arn] },
    { actions = ["ses:SendEmail"], resources = [module.mail.identity_arn] },
    { actions = ["kms:Decrypt"], resources = [module.key.key_arn] },
  ]
}

module "schedules" {
  source = "./modules/event_bus"

  name = var.short_name
  rules = {
    email-digest      = { schedule = "rate(1 hour)", function = module.email_worker.function }
    analytics-nightly = { schedule = "cron(0 2 * * ? *)", function = module.analytics_worker.function }
    export-nightly    = { schedule = "cron(0 3 * * ? *)", function = module.export_worker.function }
  }
  dead_letter_arn = module.analytics_queue.dead_arn
  key_arn         = module.key.key_arn
}
