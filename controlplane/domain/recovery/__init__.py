"""What is promised of data that have to come back: how soon, and how much of them may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

RECOVERY_TIME = timedelta(minutes=60)  # from the wish until the restored database answers
RECOVERY_POINT = timedelta(minutes=5)  # that the newest backup may lie behind


def shortfalls(report: Mapping[str, Any]) -> list[str]:
    """Where a drill's report falls short of the promise. What was not measured was not kept either."""
    found = []
    for name, words, most in (
        ("rto_seconds", "it answered after", RECOVERY_TIME),
        ("rpo_seconds", "the newest backup lay behind by", RECOVERY_POINT),
    ):
        seconds, limit = report.get(name), int(most.total_seconds())
        if seconds is None:
            found.append(f"{name} was not measured")
        elif seconds > limit:
            found.append(f"{words} {seconds:.0f} s, promised are {limit} s")
    checks = report.get("checks")
    if not checks:
        found.append("nothing was verified")
    return found + [f"{c['id']} {c['name']}: {c['detail']}" for c in checks or () if not c["passed"]]
