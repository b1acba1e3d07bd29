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
  services      = ["logs"]
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

module "database_platform" {
  source = "./modules/database_platform"

  name                 = var.name
  permissions_boundary = var.role_boundary
  subnet_ids           = module.network.database_subnet_ids
  engine_majors        = var.engine_majors
  key_deletion_days    = var.key_deletion_days
  archive              = var.database_archive
  archive_bucket_arn   = one(module.archive[*].bucket_arn)
  emails               = var.alert_emails
}

module "archive" {
  source = "./modules/storage_bucket"

  count = var.database_archive ? 1 : 0

  name        = var.short_name
  purpose     = "archive"
  key_arn     = module.key.key_arn
  transitions = { GLACIER_IR = 90 }
  expire_days = 365
}
