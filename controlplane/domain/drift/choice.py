"""Whose plan is made in a full look. A plan costs seconds of a core, so that a large fleet is never planned
as a whole: first where something was seen, then who was not planned for longest, then some by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SEEN, AGE, SAMPLE, ASKED = "seen", "age", "sample", "asked"


@dataclass(frozen=True)
class Limits:
    most: int = 20  # plans in one look
    days: int = 7  # after which everybody has been planned once, where `most` allows it
    sample_percent: int = 2


@dataclass(frozen=True)
class Chosen:
    uid: str
    why: str


def choose(
    uids: Sequence[str],
    suspicious: Iterable[str],
    planned_at: Mapping[str, datetime],
    now: datetime,
    limits: Limits,
) -> list[Chosen]:
    """In the order of urgency, each once. Chance is drawn from name and day: two workers draw alike."""
    there = set(uids)
    seen = sorted(set(suspicious) & there)
    aged = sorted(there - set(seen), key=lambda uid: (_when(planned_at.get(uid)), uid))
    old = [
        uid for uid in aged if _when(planned_at.get(uid)) <= (now - timedelta(days=limits.days)).timestamp()
    ]
    left = sorted(there - set(seen) - set(old), key=lambda uid: _drawn(uid, now))
    sample = left[: -(-len(uids) * limits.sample_percent // 100)]
    found = [Chosen(uid, why) for why, part in ((SEEN, seen), (AGE, old), (SAMPLE, sample)) for uid in part]
    return found[: limits.most]


def _when(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _drawn(uid: str, now: datetime) -> str:
    return hashlib.sha256(f"{now.date()}:{uid}".encode()).hexdigest()
