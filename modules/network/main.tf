# The VPC with its three tiers of subnets. Public ones hold load balancers and ways out, application ones tasks and
# workers, database ones databases. The way out itself is a module of its own: it is paid, and differs by platform.

locals {
  # The range is cut into sixteen parts unless a plan says otherwise.
  database_cidrs    = var.database_cidrs != null ? var.database_cidrs : [for index, zone in var.zones : cidrsubnet(var.vpc_cidr, 4, index)]
  application_cidrs = var.application_cidrs != null ? var.application_cidrs : [for index, zone in var.zones : cidrsubnet(var.vpc_cidr, 4, 4 + index)]
  public_cidrs      = var.public_cidrs != null ? var.public_cidrs : [for index, zone in var.zones : cidrsubnet(var.vpc_cidr, 4, 8 + index)]
}

data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = alltrue([for cidrs in [local.database_cidrs, local.application_cidrs, local.public_cidrs] : length(cidrs) == length(var.zones)])
      error_message = "Every tier has one range for each zone."
    }
  }
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
  cidr_block              = local.database_cidrs[each.value]
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-database-${each.key}" }
}

resource "aws_subnet" "application" {
  for_each = { for index, zone in var.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = local.application_cidrs[each.value]
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-application-${each.key}" }
}

# What lies here asks for a public address of its own; nothing gets one by lying here.
resource "aws_subnet" "public" {
  for_each = { for index, zone in var.zones : zone => index }

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = local.public_cidrs[each.value]
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
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

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
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

# AWS's services, mail and payment are reached over HTTPS, names over DNS.
resource "aws_vpc_security_group_egress_rule" "https" {
  for_each = local.clients

  security_group_id = each.value
  description       = "HTTPS to AWS and to services outside"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# A second layer behind the groups, by subnet and without memory: answers need their own rule.
locals {
  # Answers come to these ports; 3389 is left out, since nothing here has a remote desktop.
  ephemeral = { low = [1024, 3388], high = [3390, 65535] }

  database_rules = {
    postgresql = { port = [5432, 5432], cidr = var.vpc_cidr }
    low        = { port = local.ephemeral.low, cidr = var.vpc_cidr }
    high       = { port = local.ephemeral.high, cidr = var.vpc_cidr }
  }
  application_inward = {
    vpc  = { port = [0, 65535], cidr = var.vpc_cidr }
    low  = { port = local.ephemeral.low, cidr = "0.0.0.0/0" }
    high = { port = local.ephemeral.high, cidr = "0.0.0.0/0" }
  }
  public_inward = merge(local.application_inward, {
    http  = { port = [80, 80], cidr = "0.0.0.0/0" }
    https = { port = [443, 443], cidr = "0.0.0.0/0" }
  })
  outward = { all = { port = [0, 65535], cidr = "0.0.0.0/0" } }

  tiers = {
    database    = { subnets = aws_subnet.database, inward = local.database_rules, outward = local.database_rules }
    application = { subnets = aws_subnet.application, inward = local.application_inward, outward = local.outward }
    public      = { subnets = aws_subnet.public, inward = local.public_inward, outward = local.outward }
  }
}

resource "aws_network_acl" "this" {
  for_each = local.tiers

  vpc_id     = aws_vpc.this.id
  subnet_ids = [for subnet in each.value.subnets : subnet.id]

  dynamic "ingress" {
    for_each = { for index, name in sort(keys(each.value.inward)) : 100 + 10 * index => each.value.inward[name] }

    content {
      rule_no    = ingress.key
      action     = "allow"
      protocol   = "tcp"
      cidr_block = ingress.value.cidr
      from_port  = ingress.value.port[0]
      to_port    = ingress.value.port[1]
    }
  }

  dynamic "egress" {
    for_each = { for index, name in sort(keys(each.value.outward)) : 100 + 10 * index => each.value.outward[name] }

    content {
      rule_no    = egress.key
      action     = "allow"
      protocol   = "tcp"
      cidr_block = egress.value.cidr
      from_port  = egress.value.port[0]
      to_port    = egress.value.port[1]
    }
  }

  tags = { Name = "${var.name}-${each.key}" }
}

# AWS's services without a way out: these two are free, the others are paid by the hour and zone.
resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["dynamodb", "s3"])

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for zone in var.zones : aws_route_table.application[zone].id]

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_security_group" "endpoints" {
  count = length(var.interface_endpoints) == 0 ? 0 : 1

  name        = "${var.name}-endpoints"
  description = "Endpoints of AWS services: HTTPS from the VPC"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = length(var.interface_endpoints) == 0 ? 0 : 1

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in var.zones : aws_subnet.application[zone].id]
  security_group_ids  = [aws_security_group.endpoints[0].id]

  tags = { Name = "${var.name}-${each.key}" }
}

# Who talked to whom. Kept as an access log is.
resource "aws_cloudwatch_log_group" "flow" {
  # checkov:skip=CKV_AWS_338: flow logs are access logs, and paid by volume
  name              = "/controlplane/${var.name}/flow"
  retention_in_days = var.flow_log_days
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "flow" {
  name                 = "${substr(var.name, 0, 50)}-${substr(sha1(var.name), 0, 8)}-flow"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "flow" {
  name = "flow"
  role = aws_iam_role.flow.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
      Resource = "${aws_cloudwatch_log_group.flow.arn}:*"
    }]
  })
}

resource "aws_flow_log" "this" {
  vpc_id          = aws_vpc.this.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow.arn
  iam_role_arn    = aws_iam_role.flow.arn

  tags = { Name = var.name }
}
