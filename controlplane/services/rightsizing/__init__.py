"""Right-sizing for doors and schedules: look, propose, decide, look again."""
