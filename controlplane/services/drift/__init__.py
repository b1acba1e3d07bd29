"""Drift for doors and schedules: AWS against the record, and what people do about a difference."""
