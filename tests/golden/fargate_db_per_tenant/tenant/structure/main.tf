# One tenant: its databases, one slot for each epoch, and the route that the application follows. This file is
# the same for every tenant of the blueprint; what is this tenant's own stands in tenant.auto.tfvars.json.

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

# A master password is read only while its slot's credential gate is open: an ordinary plan reads none.
ephemeral "aws_secretsmanager_secret_version" "master" {
  for_each = { for key, slot in var.slots : key => slot if slot.credential_write }

  secret_id = each.value.master_secret
}

locals {
  # With the gate closed stands a text that RDS refuses (a slash, spaces): nobody sets a password by mistake.
  master_passwords = {
    for key, slot in var.slots : key => (
      slot.credential_write
      ? ephemeral.aws_secretsmanager_secret_version.master[key].secret_string
      : "/ the gate is closed /"
    )
  }
}

module "database" {
  source = "./modules/tenant_database"

  for_each = var.slots

  slot            = each.value
  platform        = each.value.platform
  master_password = local.master_passwords[each.key]
}

module "route" {
  source = "./modules/tenant_route"

  parameter_name = var.route_parameter
}

module "access" {
  source = "./modules/tenant_access"

  for_each = var.access

  name        = each.value.name
  environment = each.key
  priority    = each.value.priority
  platform    = each.value.platform
}
