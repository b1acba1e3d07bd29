"""Change windows: when a tenant may be changed. Deny wins; without an allow window it is always allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.selectors import Selector, parse_selector
from controlplane.domain.windows.cron import Cron, parse_cron

LONGEST_MINUTES = 31 * 24 * 60
HORIZON = timedelta(days=366)  # an opening further away than that is none
MOST_STEPS = 1_000  # nor is one behind so many windows: somebody denies every minute


class Effect(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    SLEEP = "sleep"  # who matches is suspended meanwhile; changes are neither allowed nor denied by it


@dataclass(frozen=True)
class Window:
    """It opens when `cron` says, in `zone`, and stays for `minutes` of real time."""

    name: str
    effect: Effect
    cron: Cron
    minutes: int
    zone: ZoneInfo
    selector: Selector

    def open_until(self, now: datetime) -> datetime | None:
        """When the occurrence that is going on ends; None when none is."""
        start = self.cron.last(now, self.zone)
        end = start + timedelta(minutes=self.minutes) if start else None
        return end if end and end > now else None


@dataclass(frozen=True)
class Opening:
    """Whether a change may start now, else when, and which window decides."""

    open: bool
    at: datetime | None  # in UTC; None: not within a year
    reason: str


def parse_window(
    name: str, effect: str, cron: str, minutes: int, zone: str = "UTC", *, selector: str = ""
) -> Window:
    """A window from its stored texts; whatever cannot be read is named."""
    if effect not in tuple(Effect):
        raise _invalid("effect", f"{effect!r} is none of allow, deny and sleep")
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise _invalid("minutes", f"{minutes} is not within 1 to {LONGEST_MINUTES}")
    return Window(name, Effect(effect), parse_cron(cron), minutes, _zone(zone), parse_selector(selector))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{name!r} is no time zone; write one such as Europe/Berlin"
        raise _invalid("zone", message) from error


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(f"the window's {field}: {message}", errors=[FieldError(field, message)])


def night_since(windows: Iterable[Window], subject: Mapping[str, str], now: datetime) -> datetime | None:
    """Since when this subject shall sleep; None: it shall be awake."""
    mine, moment = _asked(windows, subject, now)
    nights = [w for w in mine if w.effect is Effect.SLEEP and w.open_until(moment)]
    began = [start for w in nights if (start := w.cron.last(moment, w.zone))]
    return min(began, default=None)


def is_open(windows: Iterable[Window], subject: Mapping[str, str], now: datetime) -> bool:
    return _closed(*_asked(windows, subject, now)) is None


def next_open(windows: Iterable[Window], subject: Mapping[str, str], now: datetime) -> datetime | None:
    """The earliest moment from `now` on at which a change may start, in UTC; None: none within a year."""
    return look(windows, subject, now).at


def look(windows: Iterable[Window], subject: Mapping[str, str], now: datetime) -> Opening:
    mine, moment = _asked(windows, subject, now)
    closed = _closed(mine, moment)
    if closed is None:
        return Opening(True, moment, "no window is against it")
    return Opening(False, _walk(mine, moment), closed[1])


def _asked(
    windows: Iterable[Window], subject: Mapping[str, str], now: datetime
) -> tuple[list[Window], datetime]:
    """The windows that are about this subject, and the moment in UTC."""
    if now.tzinfo is None:
        raise ValueError("a time without a zone falls into no window")
    return [window for window in windows if window.selector.matches(subject)], now.astimezone(UTC)


def _walk(windows: list[Window], now: datetime) -> datetime | None:
    """From one end or start of a window to the next, until nothing is against it."""
    moment: datetime | None = now
    for _ in range(MOST_STEPS):
        if moment is None or moment > now + HORIZON:
            return None
        closed = _closed(windows, moment)
        if closed is None:
            return moment
        moment = closed[0]
    return None


def _closed(windows: list[Window], moment: datetime) -> tuple[datetime | None, str] | None:
    """When to look again and which window closes the moment; None if it is open."""
    denied = [(u, w.name) for w in windows if w.effect is Effect.DENY and (u := w.open_until(moment))]
    if denied:
        until, name = max(denied)
        return until, f"denied by the window {name} until {until:%Y-%m-%d %H:%M} UTC"
    allows = [w for w in windows if w.effect is Effect.ALLOW]
    if not allows or any(w.open_until(moment) for w in allows):
        return None
    starts = [(s, w.name) for w in allows if (s := w.cron.following(moment, w.zone))]
    if not starts:
        return None, "no allow window ever opens"
    start, name = min(starts)
    return start, f"outside the allow windows; the next, {name}, opens {start:%Y-%m-%d %H:%M} UTC"
