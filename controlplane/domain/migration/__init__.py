"""A tenant that moves from one database to another: the rules and what is known on the way."""
