# A topic that named services publish to and named people hear.

resource "aws_sns_topic" "this" {
  name              = "${var.name}-${var.purpose}"
  kms_master_key_id = var.key_arn
}

data "aws_caller_identity" "current" {}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for service in sort(var.publishers) : {
      Sid       = replace(title(split(".", service)[0]), "-", "")
      Effect    = "Allow"
      Principal = { Service = service }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.this.arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

# AWS sends a question to each address; until it is answered nothing else is sent there.
resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}
