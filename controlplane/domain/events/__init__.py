"""Events for the outside: what is told, in which shape, and when a delivery is tried again."""
