"""When a delivery is tried again: soon at first, then rarely, for about three days."""

from __future__ import annotations

from datetime import timedelta

# Before the second attempt, the third and so on: the schedule that Standard Webhooks proposes.
PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
LONGEST_ASKED = timedelta(hours=1)


def pause_after(attempts: int, asked_seconds: float | None, spread: float) -> timedelta | None:
    """How long to wait after so many attempts; None: that was the last one.

    What the receiver asks for counts when it is longer, up to an hour. `spread` of 0 to 1 keeps many
    deliveries to one receiver from coming back at one moment.
    """
    if attempts > len(PAUSES):
        return None
    planned = PAUSES[attempts - 1] * (0.9 + 0.2 * spread)
    asked = min(timedelta(seconds=asked_seconds or 0), LONGEST_ASKED)
    return max(planned, asked)
