"""Schedules for doors and workers: what is done by the clock, once, whoever looks at it."""
