# One load balancer for all tenants. It ends TLS, knows each tenant by its host name, and answers strangers with 404.

data "aws_ec2_managed_prefix_list" "cloudfront" {
  count = var.behind_cloudfront ? 1 : 0

  name = "com.amazonaws.global.cloudfront.origin-facing"
}

resource "aws_security_group" "this" {
  name        = "${var.name}-lb"
  description = "The load balancer: HTTPS in, tasks out"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-lb" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  # checkov:skip=CKV_AWS_260: port 80 answers with a redirect to HTTPS and nothing else
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.this.id
  description       = var.behind_cloudfront ? "${upper(each.key)} from CloudFront" : "${upper(each.key)} from anywhere"
  cidr_ipv4         = var.behind_cloudfront ? null : "0.0.0.0/0"
  prefix_list_id    = one(data.aws_ec2_managed_prefix_list.cloudfront[*].id)
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "tasks" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.application_security_group_id
  description                  = "To the tasks"
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_vpc_security_group_ingress_rule" "tasks" {
  security_group_id            = var.application_security_group_id
  referenced_security_group_id = aws_security_group.this.id
  description                  = "From the load balancer"
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
}

resource "aws_lb" "this" {
  # checkov:skip=CKV_AWS_150: a development platform is taken away again; production is protected
  # checkov:skip=CKV2_AWS_28: the web ACL is an option, and stands before a distribution where there is one
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.subnet_ids
  security_groups            = [aws_security_group.this.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected

  access_logs {
    bucket  = var.log_bucket
    prefix  = "access"
    enabled = true
  }
}

resource "aws_lb_target_group" "this" {
  # checkov:skip=CKV_AWS_378: TLS ends at the load balancer; from there to the task it stays inside the VPC and its groups
  for_each = var.blue_green ? toset(["blue", "green"]) : toset(["blue"])

  name                 = "${var.name}-${each.key}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.port
  deregistration_delay = 30

  health_check {
    path                = var.health_path
    matcher             = "200-299"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  stickiness {
    type            = "lb_cookie"
    cookie_duration = 3600
    enabled         = true
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "nobody of this name lives here"
      status_code  = "404"
    }
  }
}

# Where tenants are no host names, every path leads to the application. Below a tenant's rules in any case.
resource "aws_lb_listener_rule" "all" {
  count = var.catch_all ? 1 : 0

  listener_arn = aws_lb_listener.https.arn
  priority     = 50000

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  lifecycle {
    # A blue/green deployment moves it from one group to the other.
    ignore_changes = [action]
  }
}
