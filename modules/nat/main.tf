# The private subnets' way out. A gateway looks after itself; an instance is a tenth of the price, and ours to care for.

locals {
  # One a zone, so that a zone that fails takes no other along; or one for all of them, in the first zone.
  exits    = var.mode == "none" ? [] : var.per_zone ? var.zones : slice(var.zones, 0, 1)
  gateways = var.mode == "gateway" ? local.exits : []
  servers  = var.mode == "instance" ? local.exits : []
  exit_of  = { for zone in var.zones : zone => var.per_zone ? zone : var.zones[0] }

  # Forwards what the private subnets send, under the instance's own address, and keeps itself patched.
  forward = <<-EOT
    #!/bin/bash
    set -euo pipefail
    echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/90-nat.conf
    sysctl --system
    dnf install -y iptables-services dnf-automatic
    interface=$(ip -o -4 route show to default | awk '{print $5; exit}')
    iptables -t nat -A POSTROUTING -o "$interface" -j MASQUERADE
    iptables -F FORWARD
    service iptables save
    systemctl enable --now iptables
    sed -i 's/^apply_updates = no/apply_updates = yes/' /etc/dnf/automatic.conf
    systemctl enable --now dnf-automatic.timer
  EOT
}

resource "aws_eip" "this" {
  # checkov:skip=CKV2_AWS_19: it belongs to a gateway or an instance, by association; a scanner looks for an instance alone
  for_each = toset(local.exits)

  domain = "vpc"

  tags = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.gateways)

  subnet_id     = var.public_subnet_ids[each.key]
  allocation_id = aws_eip.this[each.key].id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_route" "gateway" {
  for_each = var.mode == "gateway" ? var.route_table_ids : {}

  route_table_id         = each.value
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[local.exit_of[each.key]].id
}

data "aws_ssm_parameter" "image" {
  count = var.mode == "instance" ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_security_group" "this" {
  count = var.mode == "instance" ? 1 : 0

  name        = "${var.name}-nat"
  description = "NAT instances: from the VPC, to the internet"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-nat" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  count = var.mode == "instance" ? 1 : 0

  security_group_id = aws_security_group.this[0].id
  description       = "Anything from the VPC, on its way out"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "this" {
  # checkov:skip=CKV_AWS_382: leading anywhere is what it is for
  count = var.mode == "instance" ? 1 : 0

  security_group_id = aws_security_group.this[0].id
  description       = "To the internet"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_instance" "this" {
  # checkov:skip=CKV_AWS_126: detailed monitoring is paid; the status checks that recovery needs are not
  # checkov:skip=CKV2_AWS_41: it asks nothing of AWS, so it has no role
  for_each = toset(local.servers)

  ami                         = data.aws_ssm_parameter.image[0].insecure_value
  instance_type               = var.instance_type
  subnet_id                   = var.public_subnet_ids[each.key]
  vpc_security_group_ids      = [aws_security_group.this[0].id]
  source_dest_check           = false
  ebs_optimized               = true
  user_data_replace_on_change = true
  user_data                   = local.forward

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = 8
  }

  tags = { Name = "${var.name}-nat-${each.key}" }

  lifecycle {
    # A newer image is not worth an outage; patches are installed by the instance itself.
    ignore_changes = [ami]
  }
}

resource "aws_eip_association" "this" {
  for_each = aws_instance.this

  instance_id   = each.value.id
  allocation_id = aws_eip.this[each.key].id
}

resource "aws_route" "instance" {
  for_each = var.mode == "instance" ? var.route_table_ids : {}

  route_table_id         = each.value
  destination_cidr_block = "0.0.0.0/0"
  network_interface_id   = aws_instance.this[local.exit_of[each.key]].primary_network_interface_id
}

# A machine that fails is started again on another one, with its address.
resource "aws_cloudwatch_metric_alarm" "recover" {
  for_each = aws_instance.this

  alarm_name          = "${var.name}-nat-${each.key}"
  alarm_description   = "NAT instance of ${each.key}: its machine failed"
  namespace           = "AWS/EC2"
  metric_name         = "StatusCheckFailed_System"
  dimensions          = { InstanceId = each.value.id }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 2
  alarm_actions       = concat(["arn:${data.aws_partition.current.partition}:automate:${data.aws_region.current.name}:ec2:recover"], var.alarm_topic_arns)
}

data "aws_partition" "current" {}

data "aws_region" "current" {}
