"""Who knows of a database: the catalog, Terraform's states, AWS. What only some know is found here."""
