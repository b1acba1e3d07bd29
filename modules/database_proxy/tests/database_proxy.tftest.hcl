mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/one" }
  }

  # A made-up name may begin with a digit, which the provider refuses.
  mock_resource "aws_db_proxy_default_target_group" {
    defaults = { name = "default" }
  }
}

variables {
  name                       = "acme-proxy"
  database                   = "acme-e1"
  secret_arns                = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:one"]
  key_arn                    = "arn:aws:kms:us-east-1:123456789012:key/one"
  vpc_id                     = "vpc-1"
  subnet_ids                 = ["subnet-a", "subnet-b"]
  client_security_group_id   = "sg-client"
  database_security_group_id = "sg-database"
}

run "it_requires_tls_and_opens_its_own_secrets_only" {
  command = apply

  assert {
    condition     = aws_db_proxy.this.require_tls && aws_db_proxy.this.engine_family == "POSTGRESQL" && one(aws_db_proxy.this.auth).auth_scheme == "SECRETS"
    error_message = "TLS, PostgreSQL, by secret."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource[0] == var.secret_arns[0] && length(jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource) == 1
    error_message = "Its secrets and no others."
  }

  assert {
    condition     = aws_db_proxy_target.this.db_instance_identifier == "acme-e1" && aws_db_proxy_default_target_group.this.connection_pool_config[0].max_connections_percent == 90
    error_message = "It leaves a tenth of the connections to others."
  }
}

run "it_stands_between_its_clients_and_the_database" {
  command = apply

  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["clients"].referenced_security_group_id == "sg-client" && aws_vpc_security_group_ingress_rule.this["database"].security_group_id == "sg-database"
    error_message = "Clients reach the proxy, and the proxy the database."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.this : rule.from_port == 5432 && rule.cidr_ipv4 == null])
    error_message = "PostgreSQL alone, and no range of addresses."
  }
}

run "a_proxy_that_nobody_may_use_is_refused" {
  command = plan

  variables {
    secret_arns = []
  }

  expect_failures = [var.secret_arns]
}

run "more_than_all_connections_are_refused" {
  command = plan

  variables {
    connections_percent = 110
  }

  expect_failures = [var.connections_percent]
}

run "the_role_has_the_boundary_that_is_given" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::123456789012:policy/controlplane-cell/controlplane-default-services"
  }

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary
    error_message = "Without it a role here could be more than whoever makes it."
  }
}
