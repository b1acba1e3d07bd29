"""Plans that are looked at and thrown away: nothing is locked, recorded or written (docs/adr/0007)."""
