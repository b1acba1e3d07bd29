"""Telling the outside: who hears of what, and the deliveries themselves."""
