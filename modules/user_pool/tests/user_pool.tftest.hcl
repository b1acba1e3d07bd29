mock_provider "aws" {}

variables {
  name          = "loyalty-production-default"
  purpose       = "customers"
  callback_urls = ["https://app.example.org/back"]
}

run "people_log_in_with_a_second_factor_and_long_passwords" {
  command = apply

  assert {
    condition     = aws_cognito_user_pool.this.mfa_configuration == "ON" && aws_cognito_user_pool.this.password_policy[0].minimum_length == 12
    error_message = "MFA on and twelve characters unless said otherwise."
  }

  assert {
    condition     = aws_cognito_user_pool.this.admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Nobody registers by themselves unless said."
  }
}

run "two_providers_vouch_and_their_secrets_are_not_ours" {
  command = apply

  variables {
    providers_by_name = { Google = { client_id = "g" }, SignInWithApple = { client_id = "a", scopes = "email name" } }
  }

  assert {
    condition     = toset(aws_cognito_user_pool_client.app.supported_identity_providers) == toset(["COGNITO", "Google", "SignInWithApple"])
    error_message = "The client knows every provider."
  }

  assert {
    condition     = alltrue([for provider in values(aws_cognito_identity_provider.this) : provider.provider_details["client_secret"] == "entered-by-a-person"])
    error_message = "No secret is rendered."
  }
}

run "coming_back_without_tls_is_refused" {
  command = plan

  variables {
    callback_urls = ["http://app.example.org"]
  }

  expect_failures = [var.callback_urls]
}
