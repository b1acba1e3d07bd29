# What exists in AWS and is taken into the state by the next apply. This file leaves with the rendering after it.

import {
  to = module.database["e1"].aws_db_instance.this
  id = "acme-a1234567-e1"
}

import {
  to = module.database["e1"].aws_cloudwatch_log_group.this["postgresql"]
  id = "/aws/rds/instance/acme-a1234567-e1/postgresql"
}

import {
  to = module.database["e1"].aws_cloudwatch_log_group.this["upgrade"]
  id = "/aws/rds/instance/acme-a1234567-e1/upgrade"
}

import {
  to = module.database["e1"].aws_cloudwatch_metric_alarm.this["cpu-warning"]
  id = "acme-a1234567-e1-cpu-warning"
}

import {
  to = module.database["e1"].aws_cloudwatch_metric_alarm.this["cpu-critical"]
  id = "acme-a1234567-e1-cpu-critical"
}

import {
  to = module.database["e1"].aws_cloudwatch_metric_alarm.this["connections-warning"]
  id = "acme-a1234567-e1-connections-warning"
}

import {
  to = module.database["e1"].aws_cloudwatch_metric_alarm.this["connections-critical"]
  id = "acme-a1234567-e1-connections-critical"
}

import {
  to = module.database["e1"].aws_cloudwatch_metric_alarm.this["free-storage-low"]
  id = "acme-a1234567-e1-free-storage-low"
}

import {
  to = module.database["e1"].aws_cloudwatch_metric_alarm.this["freeable-memory-low"]
  id = "acme-a1234567-e1-freeable-memory-low"
}

import {
  to = module.route.aws_ssm_parameter.this
  id = "/controlplane/acme-a1234567/route"
}
