"""Five-field cron: minute, hour, day of month, month, day of week; lists, ranges, steps and names.

Local time follows its zone. A time that the clock skips in spring starts as much later as was skipped; a
time that comes twice in autumn starts at the first, unless the hour field is a wildcard: then at both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from controlplane.domain.errors import FieldError, Invalid

_MONTHS = dict(
    jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12,
)  # fmt: skip
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_LONGEST_MONTH = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_HORIZON_DAYS = 8 * 366 + 1  # over a century that is no leap year, 29 February is eight years away
_AROUND = timedelta(hours=4)  # a change of clocks further away than this cannot turn the order of two times


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)


@dataclass(frozen=True)
class Cron:
    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    any_day: bool  # day of month is a wildcard
    any_weekday: bool
    every_hour: bool

    def on(self, day: date) -> bool:
        """Whether it starts on this day; both day fields restricted means either, as in every cron."""
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday

    def last(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The latest start not after `now`, in UTC."""
        return self._nearest(now, zone, forward=False)

    def following(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The earliest start after `now`, in UTC."""
        return self._nearest(now, zone, forward=True)

    def _nearest(self, now: datetime, zone: ZoneInfo, *, forward: bool) -> datetime | None:
        """The best start on this side of `now`, looked for until no later wall time can be a better one."""
        best: tuple[datetime, datetime] | None = None
        for wall in self._walls(now.astimezone(zone), forward):
            if best and abs(wall - best[0]) > _shift(best[1], zone):
                break
            for start in self._starts(wall, zone):
                if (start > now) == forward and (best is None or (start < best[1]) == forward):
                    best = (wall, start)
        return best[1] if best else None

    def _walls(self, now: datetime, forward: bool) -> Iterator[datetime]:
        """Wall times of starts, away from `now`; a little of its other side too where clocks change."""
        order = 1 if forward else -1
        edge = now.replace(tzinfo=None) - order * _shift(now, now.tzinfo)
        for days in range(_HORIZON_DAYS):
            day = edge.date() + timedelta(days=days * order)
            for hour in self.hours[::order] if self.on(day) else ():
                for minute in self.minutes[::order]:
                    wall = datetime.combine(day, time(hour, minute))
                    if (wall >= edge) == forward or wall == edge:
                        yield wall

    def _starts(self, wall: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments of a wall time: one, or two where it comes twice and every hour is meant."""
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        yield first
        if self.every_hour and second > first:
            yield second


def _shift(moment: datetime, zone: tzinfo | None) -> timedelta:
    """By how much clocks change around this moment."""
    offsets = [
        (moment + around).astimezone(zone).utcoffset() or timedelta() for around in (-_AROUND, _AROUND)
    ]
    return abs(offsets[1] - offsets[0])


def parse_cron(text: str) -> Cron:
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise _invalid(text, "has five fields: minute, hour, day of month, month, day of week")
    minutes, hours, days, months, weekdays = (
        frozenset(_values(part, field, text)) for part, field in zip(parts, _FIELDS, strict=True)
    )
    any_day, any_weekday = parts[2].startswith("*"), parts[4].startswith("*")
    if any_weekday and not any(min(days) <= _LONGEST_MONTH.get(month, 31) for month in months):
        raise _invalid(text, "names a day that none of its months has")
    return Cron(
        text=text,
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=days,
        months=months,
        weekdays=frozenset(day % 7 for day in weekdays),
        any_day=any_day,
        any_weekday=any_weekday,
        every_hour=parts[1].startswith("*"),
    )


def _values(part: str, field: _Field, text: str) -> Iterable[int]:
    for item in part.split(","):
        span, _, step = item.partition("/")
        low, high = _span(span, bool(step), field, text)
        if step and (not step.isdecimal() or int(step) < 1):
            raise _invalid(text, f"{field.name}: {step!r} is no step")
        yield from range(low, high + 1, int(step or 1))


def _span(span: str, stepped: bool, field: _Field, text: str) -> tuple[int, int]:
    if span == "*":
        # Sunday is 0 and 7; a wildcard counts it once, or a step would start anew on it.
        return field.low, min(field.high, 6) if field.name == "day of week" else field.high
    first, dash, last = span.partition("-")
    low = _number(first, field, text)
    high = _number(last, field, text) if dash else field.high if stepped else low
    if low > high:
        raise _invalid(text, f"{field.name}: {span!r} runs backwards; write it as two ranges")
    return low, high


def _number(word: str, field: _Field, text: str) -> int:
    value = field.names.get(word, int(word) if word.isdecimal() and word.isascii() else -1)
    if not field.low <= value <= field.high:
        raise _invalid(text, f"{field.name}: {word!r} is not within {field.low} to {field.high}")
    return value


def _invalid(text: str, why: str) -> Invalid:
    return Invalid(
        f"the cron expression {text!r} {why}" if why.startswith(("has", "names")) else f"{text!r}: {why}",
        hint="for example `0 2 * * mon-fri`: at 02:00 on working days",
        errors=[FieldError("cron", why)],
    )
