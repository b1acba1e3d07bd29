"""Commands about what is kept to go back to."""
