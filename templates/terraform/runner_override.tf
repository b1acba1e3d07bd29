# Put beside a workspace by the control plane for its own runs only, and no part of what was rendered: it
# streams this state, encrypted, into its store. By hand, use the backend that the workspace declares.
terraform {
  backend "local" {
    path = ".run/terraform.tfstate"
  }
}
