"""The process that owns one Terraform run: starts it, streams its lines and state, records its end.

It outlives the worker that started it, so it must start fast and stay small: it imports next to nothing
and speaks plain SQL. `python -m controlplane.supervisor` reads its task from stdin.
"""
