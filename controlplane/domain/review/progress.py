"""A review's statuses, and what has to be so before it is merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ReviewStatus(StrEnum):
    OPENING = "opening"  # asked for; planned, then proposed on its branch
    OPEN = "open"
    MERGING = "merging"
    MERGED = "merged"  # its operation is being applied
    APPLIED = "applied"
    FAILED = "failed"  # merged, but not brought about
    CLOSED = "closed"


UNFINISHED = (ReviewStatus.OPENING, ReviewStatus.OPEN, ReviewStatus.MERGING, ReviewStatus.MERGED)
BEFORE_MERGE = (ReviewStatus.OPENING, ReviewStatus.OPEN, ReviewStatus.MERGING)
FORBID = "forbid"


@dataclass(frozen=True)
class Facts:
    """What decides about a merge."""

    status: ReviewStatus
    requested_by: str
    head: str
    planned: bool  # the recorded plan is the operation's newest one; nothing to plan counts as well
    delicate: bool = False
    two_person: bool = True
    problem: str = ""
    policy: Sequence[Mapping[str, Any]] = ()
    approvals: Sequence[Mapping[str, Any]] = ()  # each with actor and head


def obstacles(facts: Facts, merger: str) -> list[str]:
    """Why this person cannot merge it now; empty: nothing is against it."""
    found = []
    if facts.status is not ReviewStatus.OPEN:
        found.append(f"it is {facts.status}, not open")
    elif not facts.planned:
        found.append("its plan is not the newest one yet")
    if facts.problem:
        found.append(facts.problem)
    found += [f"policy forbids it: {f.get('message')}" for f in facts.policy if f.get("level") == FORBID]
    if facts.two_person and facts.delicate and not _second_person(facts, merger):
        found.append(f"another person than {facts.requested_by} has to approve or merge it")
    return found


def _second_person(facts: Facts, merger: str) -> bool:
    """An approval counts for the very commit that it was given to."""
    who = {str(a["actor"]) for a in facts.approvals if a.get("head") == facts.head} | {merger}
    return bool(who - {facts.requested_by})


def checks(facts: Facts, subject: str, cost: str) -> list[dict[str, str]]:
    """One status for the workspace, policy and cost as their own, and an aggregate."""
    over = facts.status in (ReviewStatus.FAILED, ReviewStatus.CLOSED)
    planned = "failure" if over or facts.problem else "success" if facts.planned else "pending"
    forbidden = [f for f in facts.policy if f.get("level") == FORBID]
    policy = "failure" if forbidden else planned if planned != "failure" else "success"
    rows = [
        {"name": f"controlplane/plan: {subject}", "state": planned, "text": facts.problem},
        {"name": "controlplane/policy", "state": policy, "text": "; ".join(_rule(f) for f in facts.policy)},
        {"name": "controlplane/cost", "state": "success" if facts.planned else "pending", "text": cost},
    ]
    states = {row["state"] for row in rows}
    whole = "failure" if "failure" in states else "pending" if "pending" in states else "success"
    return [*rows, {"name": "controlplane", "state": whole, "text": ""}]


def _rule(finding: Mapping[str, Any]) -> str:
    return f"{finding.get('level')}: {finding.get('rule')}"
