"""Quotas: how full each is, when another tenant no longer fits, and whether one more is let in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WARN_PERCENT, REFUSE_PERCENT = 70, 90


class State(StrEnum):
    FINE = "fine"
    WARN = "warn"
    REFUSE = "refuse"  # one more is not let in
    UNKNOWN = "unknown"  # what is used is not known


@dataclass(frozen=True)
class Use:
    """One quota in one region. `reserve` stays free for migrations that run."""

    name: str
    limit: int
    used: int | None
    a_tenant: int  # what one tenant more uses; 0: nothing
    reserve: int = 0

    @property
    def least_refused(self) -> int:
        """The first use that admission refuses."""
        return self.limit * REFUSE_PERCENT // 100 - self.reserve + 1


@dataclass(frozen=True)
class Standing:
    percent: float | None
    state: State
    tenants_left: int | None  # that still fit; None: it is not known, or tenants do not use it


def standing(use: Use) -> Standing:
    if use.used is None:
        return Standing(None, State.UNKNOWN, None)
    left = max(0, (use.least_refused - 1 - use.used) // use.a_tenant) if use.a_tenant else None
    return Standing(round(use.used * 100 / use.limit, 1), _state(use, use.used, use.a_tenant), left)


def admit(use: Use, adding: int, *, may_use_reserve: bool = False) -> State:
    """Whether so many more are let in. A migration may use what is kept for migrations."""
    if use.used is None:
        return State.UNKNOWN
    granted = use.reserve if may_use_reserve else 0
    return _state(use, use.used - granted, adding)


def _state(use: Use, used: int, adding: int) -> State:
    after = used + adding
    if adding and after >= use.least_refused:
        return State.REFUSE
    return State.WARN if after * 100 > use.limit * WARN_PERCENT else State.FINE
