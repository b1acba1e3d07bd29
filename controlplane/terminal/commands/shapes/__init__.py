"""Commands on what tenants and platforms are made from: blueprints and their templates."""
