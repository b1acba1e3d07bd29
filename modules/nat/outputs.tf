output "public_ips" {
  description = "Addresses under which the private subnets appear outside, by zone."
  value       = { for zone, address in aws_eip.this : zone => address.public_ip }
}
