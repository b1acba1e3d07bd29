"""Terraform: finding it, preparing a folder for it, and running it under a supervisor of its own."""
