# One group of people who log in: how they do, how strong their passwords are, and who vouches for them.

data "aws_caller_identity" "current" {}

locals {
  full_name = "${var.name}-${var.purpose}"
}

resource "aws_cognito_user_pool" "this" {
  name                     = local.full_name
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = var.mfa
  deletion_protection      = var.protected ? "ACTIVE" : "INACTIVE"

  username_configuration {
    case_sensitive = false
  }

  password_policy {
    minimum_length                   = var.password_length
    require_lowercase                = true
    require_uppercase                = true
    require_numbers                  = true
    require_symbols                  = true
    temporary_password_validity_days = 1
  }

  dynamic "software_token_mfa_configuration" {
    for_each = var.mfa == "OFF" ? [] : [true]

    content {
      enabled = true
    }
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }

  admin_create_user_config {
    allow_admin_create_user_only = !var.sign_up
  }

  dynamic "schema" {
    for_each = var.attributes

    content {
      name                     = schema.value
      attribute_data_type      = "String"
      mutable                  = true
      developer_only_attribute = false
      required                 = false

      string_attribute_constraints {
        min_length = "0"
        max_length = "256"
      }
    }
  }
}

# The provider's secret is entered by a person (`aws cognito-idp update-identity-provider`): were it an input, it
# would stand in the state in clear.
resource "aws_cognito_identity_provider" "this" {
  for_each = var.providers_by_name

  user_pool_id      = aws_cognito_user_pool.this.id
  provider_name     = each.key
  provider_type     = each.key
  attribute_mapping = { email = "email", username = "sub" }

  provider_details = {
    client_id        = each.value.client_id
    client_secret    = "entered-by-a-person"
    authorize_scopes = each.value.scopes
  }

  lifecycle {
    ignore_changes = [provider_details]
  }
}

# One name in the whole region, whoever's it is: so the account's number is part of it.
resource "aws_cognito_user_pool_domain" "this" {
  domain       = "${local.full_name}-${data.aws_caller_identity.current.account_id}"
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_user_pool_client" "app" {
  name                                 = "${local.full_name}-app"
  user_pool_id                         = aws_cognito_user_pool.this.id
  generate_secret                      = false
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["openid", "email", "profile"]
  callback_urls                        = var.callback_urls
  supported_identity_providers         = concat(["COGNITO"], [for provider in values(aws_cognito_identity_provider.this) : provider.provider_name])
  explicit_auth_flows                  = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true
  access_token_validity                = 60
  id_token_validity                    = 60
  refresh_token_validity               = var.refresh_days

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}
