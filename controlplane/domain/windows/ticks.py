"""When a schedule is due: cron in a zone, and a little later, so that not everything begins at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.windows.cron import Cron, parse_cron

MOST_COUNTED = 1_000


class Ticks:
    """One schedule's times. A tick's jitter follows from its name and time: every worker knows it."""

    def __init__(self, name: str, cron: str, zone: str = "UTC", jitter_seconds: int = 0) -> None:
        self.name = name
        self.cron: Cron = parse_cron(cron)
        self.zone = _zone(zone)
        self.jitter_seconds = jitter_seconds

    def after(self, moment: datetime) -> datetime | None:
        """The first due time after `moment`, in UTC; None: the cron never comes."""
        tick = self.cron.following(moment - timedelta(seconds=self.jitter_seconds), self.zone)
        while tick is not None:
            due = self._late(tick)
            if due > moment:
                return due
            tick = self.cron.following(tick, self.zone)
        return None

    def missed(self, due_at: datetime, now: datetime) -> int:
        """How many due times came after `due_at` until now, counted up to a thousand."""
        count, at = 0, self.after(due_at)
        while at is not None and at <= now and count < MOST_COUNTED:
            count, at = count + 1, self.after(at)
        return count

    def _late(self, tick: datetime) -> datetime:
        if not self.jitter_seconds:
            return tick
        digest = sha256(f"{self.name} {tick.isoformat()}".encode()).digest()
        return tick + timedelta(seconds=int.from_bytes(digest[:4]) % (self.jitter_seconds + 1))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{name!r} is no time zone; write one such as Europe/Berlin"
        raise Invalid(message, errors=[FieldError("zone", message)]) from error
