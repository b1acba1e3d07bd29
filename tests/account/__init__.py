"""One tenant's whole life in a real AWS account, for whoever has one. Nobody's CI does this."""
