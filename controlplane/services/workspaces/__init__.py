"""Workspaces as doors see them: the files that Terraform reads, and its state."""
