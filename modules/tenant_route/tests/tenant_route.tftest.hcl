mock_provider "aws" {}

variables {
  parameter_name = "/controlplane/acme-a1234567/route"
}

run "the_container_is_made_with_an_empty_route" {
  command = apply

  assert {
    condition     = aws_ssm_parameter.this.type == "String" && nonsensitive(aws_ssm_parameter.this.value) == "{}"
    error_message = "A new route holds an empty object."
  }

  assert {
    condition     = output.parameter_name == "/controlplane/acme-a1234567/route"
    error_message = "The route's path is given out."
  }
}

run "a_relative_path_is_refused" {
  command = plan

  variables {
    parameter_name = "controlplane/acme/route"
  }

  expect_failures = [var.parameter_name]
}

run "a_path_with_a_space_is_refused" {
  command = plan

  variables {
    parameter_name = "/controlplane/ac me/route"
  }

  expect_failures = [var.parameter_name]
}
