"""Every event that is told to the outside. A type, once published, keeps its name and its fields."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.operation import FINAL, HELD, Status
from controlplane.domain.tenant import Phase

_WAITING = (Status.AWAITING_APPROVAL, Status.AWAITING_WINDOW)
# What goes on by itself is followed over SSE; a webhook hears of beginnings, ends, and whoever has to act.
TOLD_STATUSES = frozenset({*FINAL, *HELD, *_WAITING})
_OPERATION, _TENANT = "operation", "tenant"
ACCEPTED, EXPIRING, TEST = f"{_OPERATION}.accepted", f"{_TENANT}.expiring", "webhook.test"
AT_RISK, LOST = f"{_TENANT}.way_back_at_risk", f"{_TENANT}.way_back_lost"

TYPES: Mapping[str, str] = {
    ACCEPTED: "A change was accepted; it waits for its turn.",
    **{f"{_OPERATION}.{status}": f"An operation is `{status}` now." for status in sorted(TOLD_STATUSES)},
    **{f"{_TENANT}.{phase}": f"A tenant is `{phase}` now." for phase in sorted(Phase)},
    EXPIRING: "A proof of concept ends soon: in `left` or less, at `expires_at`.",
    AT_RISK: "A tenant soaks, and the way back without a loss falls behind or cannot be looked at: `why`.",
    LOST: "A tenant soaks, and a rollback would lose rows from now on: `why`, and since when.",
    TEST: "Sent when somebody asks for it, to one webhook.",
}


@dataclass(frozen=True)
class Event:
    """Something that happened, as it is told: thin, since whoever wants more asks the API with its ids."""

    type: str
    subject: str  # tenant/acme, or operation/op-…
    at: datetime
    tenant: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def of_status(operation: Mapping[str, Any], status: Status, at: datetime, detail: str = "") -> Event | None:
    """What is told of an operation's new status; None for a status that passes by itself."""
    if status not in TOLD_STATUSES and status is not Status.PENDING:
        return None
    name = ACCEPTED if status is Status.PENDING else f"{_OPERATION}.{status}"
    data = {**operation, "status": status.value, "detail": detail}
    return Event(name, f"operation/{operation['operation']}", at, operation["tenant"], data)


def of_phase(slug: str, phase: Phase, was: str, reason: str, at: datetime) -> Event:
    data = {"tenant": slug, "phase": phase.value, "was": was, "reason": reason}
    return Event(f"{_TENANT}.{phase}", f"tenant/{slug}", at, slug, data)


def of_expiry(slug: str, left: str, expires_at: datetime | None, at: datetime) -> Event:
    until = expires_at.isoformat() if expires_at else None
    return Event(EXPIRING, f"tenant/{slug}", at, slug, {"tenant": slug, "left": left, "expires_at": until})


def of_way_back(slug: str, migration: str, noted: Mapping[str, Any], at: datetime) -> Event:
    """How the way back of a tenant that soaks stands; `gone_since`: it is given up."""
    names = ("level", "why", "retained_bytes", "limit_bytes", "arrived_until", "gone_since")
    data = {"tenant": slug, "migration": migration, **{name: noted.get(name) for name in names}}
    return Event(LOST if noted.get("gone_since") else AT_RISK, f"{_TENANT}/{slug}", at, slug, data)


def check_patterns(patterns: Sequence[str]) -> None:
    """Raise for a pattern that no event will ever match."""
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in TYPES):
            message = f"no event is called {pattern!r}"
            raise Invalid(message, hint="docs/events.md lists them", errors=[FieldError("events", message)])


def wants(patterns: Sequence[str], type_: str) -> bool:
    return any(fnmatch.fnmatchcase(type_, pattern) for pattern in patterns)
