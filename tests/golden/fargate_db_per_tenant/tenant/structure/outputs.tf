output "databases" {
  value = { for key, each in module.database : key => each.facts }
}

output "access" {
  value = { for key, each in module.access : key => each.facts }
}

output "route_parameter" {
  value = module.route.parameter_name
}
