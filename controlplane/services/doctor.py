"""What this installation found, what it misses, and how to get it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import ControlPlaneError


@dataclass(frozen=True)
class Check:
    """One thing to look for. `look` says what was found, or raises saying what is missing."""

    name: str
    look: Callable[[], str]
    needed: bool = True


def examine(checks: Sequence[Check]) -> dict[str, Any]:
    """Every check, also after one that failed; `good`: nothing that is needed is missing."""
    items = [_examined(check) for check in checks]
    return {"items": items, "next_page_token": None, "good": all(i["state"] != "missing" for i in items)}


def _examined(check: Check) -> dict[str, Any]:
    try:
        found = check.look()
    except ControlPlaneError as error:
        state = "missing" if check.needed else "absent"
        return {"name": check.name, "state": state, "found": error.message, "hint": error.hint}
    return {"name": check.name, "state": "good", "found": found, "hint": ""}
