"""The two clocks of a migration: how long the fence may stand, and how long the source is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from controlplane.domain.errors import Refused

SOAK_LEAST, SOAK_MOST = timedelta(hours=24), timedelta(hours=48)
VERIFICATION_HOLDS = timedelta(hours=24)


def seconds_left(until: datetime | None, now: datetime) -> int | None:
    """None: there is no such end. Never negative."""
    return None if until is None else max(0, int((until - now).total_seconds()))


def check_soaked(slug: str, opened_at: datetime, now: datetime, *, override: bool, reason: str) -> None:
    """The old database is kept for a day at least; a person may say otherwise, with a reason."""
    if now - opened_at >= SOAK_LEAST:
        return
    earliest = opened_at + SOAK_LEAST
    if override and reason.strip():
        return
    if override:
        raise Refused(
            f"finalizing {slug} before {earliest.isoformat()}: an override needs a reason",
            hint="--reason WHY",
        )
    raise Refused(
        f"finalizing {slug}: its old database is kept until {earliest.isoformat()} at least, "
        f"{seconds_left(earliest, now)} s from now: it is the way back",
        hint=f"controlplane migration finalize {slug} --override --reason WHY",
        details={"earliest": earliest.isoformat()},
    )


def is_expired(verified_at: datetime, now: datetime) -> bool:
    return now - verified_at > VERIFICATION_HOLDS
