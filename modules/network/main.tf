# The VPC with its two private tiers. Nothing here reaches the internet; whatever lets the application tier
# out (a NAT gateway, endpoints) is a module of its own that adds routes to `application_route_table_ids`.

resource "aws_vpc" "this" {
  # checkov:skip=CKV2_AWS_11: flow logs are a module of their own, since they are paid by volume
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }
}

# AWS makes this group by itself and lets its members talk to each other; here it allows nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-unused" }
}

resource "aws_subnet" "database" {
  for_each = { for index, zone in var.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 4, each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-database-${each.key}" }
}

resource "aws_subnet" "application" {
  for_each = { for index, zone in var.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 4, 4 + each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-application-${each.key}" }
}

# One table for all database subnets: it holds the local route only, and nobody adds another.
resource "aws_route_table" "database" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-database" }
}

resource "aws_route_table_association" "database" {
  for_each = aws_subnet.database

  subnet_id      = each.value.id
  route_table_id = aws_route_table.database.id
}

# One table a zone, so that each zone can have its own way out.
resource "aws_route_table" "application" {
  for_each = aws_subnet.application

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-application-${each.key}" }
}

resource "aws_route_table_association" "application" {
  for_each = aws_subnet.application

  subnet_id      = each.value.id
  route_table_id = aws_route_table.application[each.key].id
}

# Three groups: who may reach a database, and the databases. Rules are resources of their own, so that other
# modules can add theirs without a change here.
resource "aws_security_group" "application" {
  # checkov:skip=CKV2_AWS_5: the application's tasks are attached by the module that runs them
  name        = "${var.name}-application"
  description = "The application: may open connections to tenant databases"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-application" }
}

resource "aws_security_group" "controlplane" {
  # checkov:skip=CKV2_AWS_5: the control plane's workers are attached where they run
  name        = "${var.name}-controlplane"
  description = "The control plane's workers: may open connections to tenant databases"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-controlplane" }
}

resource "aws_security_group" "database" {
  # checkov:skip=CKV2_AWS_5: every tenant's database is attached to it, in workspaces of their own
  name        = "${var.name}-database"
  description = "Tenant databases: reached by the application and the control plane only"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-database" }
}

locals {
  clients = {
    application  = aws_security_group.application.id
    controlplane = aws_security_group.controlplane.id
  }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  for_each = local.clients

  security_group_id            = aws_security_group.database.id
  referenced_security_group_id = each.value
  description                  = "PostgreSQL from the ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "client" {
  for_each = local.clients

  security_group_id            = each.value
  referenced_security_group_id = aws_security_group.database.id
  description                  = "PostgreSQL to tenant databases"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
