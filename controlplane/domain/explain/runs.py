"""One row for every state of a Terraform run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from controlplane.domain.explain.words import NOBODY, SYSTEM, Explanation, at


class RunState(StrEnum):
    ORDERED = "ordered"
    CLAIMED = "claimed"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True)
class RunFacts:
    id: str
    operation: str
    host: str = ""
    pid: int = 0
    lease_until: datetime | None = None
    is_leased: bool = True  # whoever owns it renewed its lease in time
    exit_code: int | None = None


def explain_run(state: RunState, facts: RunFacts) -> Explanation:
    return RUN_ROWS[state](facts)


def _lease(f: RunFacts) -> str:
    if f.is_leased:
        return f"on {f.host or 'a host that is not recorded'}, leased until {at(f.lease_until)}"
    out = f"its lease ran out at {at(f.lease_until)}: the next worker looks whether it lives, and settles it"
    return f"{out}; if its host is gone for good: controlplane operation settle {f.operation} --outcome lost"


def _going_on(cause: str) -> Callable[[RunFacts], Explanation]:
    def row(f: RunFacts) -> Explanation:
        told = f"{f.id}, process {f.pid}" if f.pid else f.id
        return Explanation(cause, f"{told}, {_lease(f)}", SYSTEM, f"controlplane operation log {f.operation}")

    return row


def _ordered(f: RunFacts) -> Explanation:
    cause = "Terraform is ordered, and no supervisor has taken it up"
    return Explanation(cause, f.id, SYSTEM, f"controlplane operation show {f.operation}")


def _ended(f: RunFacts) -> Explanation:
    evidence = f"{f.id} ended with exit code {'unknown' if f.exit_code is None else f.exit_code}"
    return Explanation("Terraform has ended", evidence, NOBODY, f"controlplane operation log {f.operation}")


def _lost(f: RunFacts) -> Explanation:
    cause = "Terraform is gone and nobody saw its end: what it did is asked of AWS"
    evidence = f"{f.id}, {f.host or 'a host that is not recorded'}"
    return Explanation(cause, evidence, SYSTEM, f"controlplane operation show {f.operation}")


RUN_ROWS: Mapping[RunState, Callable[[RunFacts], Explanation]] = {
    RunState.ORDERED: _ordered,
    RunState.CLAIMED: _going_on("a supervisor has the run, and Terraform has not begun"),
    RunState.RUNNING: _going_on("Terraform runs"),
    RunState.ENDED: _ended,
    RunState.LOST: _lost,
}
