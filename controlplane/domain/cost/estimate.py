"""An estimate: lines that explain themselves, and a total that is their sum or unknown.

Rounding: every printed line is rounded half-up to the cent on its own, and the total is the sum of the
printed lines; nothing is rounded twice and nothing is rounded only in the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import CENT, cents, show_usd

MONTHS = 12
HOURS = Decimal(730)  # of a month
ZERO = Decimal(0)


def round_to(usd: Decimal, step: Decimal) -> Decimal:
    """Half-up to a multiple of `step`."""
    if step == CENT:
        return usd.quantize(CENT, ROUND_HALF_UP)
    return ((usd / step).to_integral_value(ROUND_HALF_UP) * step).quantize(CENT)


def round_up_to(usd: Decimal, step: Decimal) -> Decimal:
    return ((usd / step).to_integral_value(ROUND_CEILING) * step).quantize(CENT)


def add(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, or None as soon as one of the amounts is not known."""
    total = ZERO
    for usd in amounts:
        if usd is None:
            return None
        total += usd
    return total


@dataclass(frozen=True, slots=True)
class Line:
    component: str
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    monthly_usd: Decimal | None
    rule: str
    subject: str = ""  # which tenant, slot or resource, where there are several


def charge(component: str, quantity: Decimal, unit: str, unit_price: Decimal | None, rule: str) -> Line:
    """quantity × unit price, rounded half-up to the cent; unknown stays unknown, even of nothing."""
    monthly = None if unit_price is None else cents(quantity * unit_price)
    return Line(component, quantity, unit, unit_price, monthly, rule)


@dataclass(frozen=True, slots=True)
class Estimate:
    lines: tuple[Line, ...]
    book: str = ""
    region: str = ""
    note: str = ""

    @property
    def total(self) -> Decimal | None:
        """USD per month, or None when any line is unknown."""
        return add(line.monthly_usd for line in self.lines)

    @property
    def yearly(self) -> Decimal | None:
        total = self.total
        return None if total is None else total * MONTHS

    @property
    def known_usd(self) -> Decimal:
        """The part that is known: a floor, never to be shown as the total."""
        return sum((line.monthly_usd for line in self.lines if line.monthly_usd is not None), ZERO)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What stops the total from being known."""
        names = (f"{x.component} {x.subject}".strip() for x in self.lines if x.monthly_usd is None)
        return tuple(dict.fromkeys(names))

    def component(self, name: str) -> Decimal | None:
        return add(line.monthly_usd for line in self.lines if line.component == name)

    def by_component(self) -> dict[str, Decimal | None]:
        names = dict.fromkeys(line.component for line in self.lines)
        return {name: self.component(name) for name in names}

    def share(self, *components: str) -> Decimal | None:
        """Percent of the total that these components are, one decimal."""
        total, part = self.total, add(self.component(name) for name in components)
        if not total or part is None:
            return None
        return (part * 100 / total).quantize(Decimal("0.1"), ROUND_HALF_UP)

    def with_lines(self, more: Sequence[Line], note: str = "") -> Estimate:
        return replace(self, lines=(*self.lines, *more), note=note or self.note)

    def as_json(self) -> dict[str, Any]:
        """Plain data for doors and records; money as text with two decimals, unknown as null."""
        return {
            "book": self.book,
            "region": self.region,
            "note": self.note,
            "monthly_usd": _text(self.total),
            "yearly_usd": _text(self.yearly),
            "known_usd": _text(self.known_usd),
            "unknown": list(self.unknown),
            "lines": [line_json(line) for line in self.lines],
        }

    def __str__(self) -> str:
        return show_usd(self.total)


def line_json(line: Line) -> dict[str, Any]:
    return {
        "component": line.component,
        "subject": line.subject,
        "quantity": plain(line.quantity),
        "unit": line.unit,
        "unit_price": None if line.unit_price is None else plain(line.unit_price),
        "monthly_usd": _text(line.monthly_usd),
        "rule": line.rule,
    }


def plain(number: Decimal) -> str:
    """Digits without an exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else str(cents(usd))


def merge(estimates: Sequence[Estimate], note: str = "") -> Estimate:
    """All lines of several estimates; the book and region are those of the first."""
    lines = tuple(line for estimate in estimates for line in estimate.lines)
    first = estimates[0] if estimates else Estimate(())
    return Estimate(lines, first.book, first.region, note or first.note)


def check_numbers(**numbers: Decimal | int | float | None) -> None:
    """Refuse negative or endless quantities, naming every field; floats are refused as money is decimal."""
    faults = []
    for name, value in numbers.items():
        if value is None:
            continue
        if isinstance(value, bool | float):
            faults.append(FieldError(name, f"must be a whole or decimal number, not {value!r}"))
        elif not Decimal(value).is_finite() or value < 0:
            faults.append(FieldError(name, f"must not be negative, and is {value}"))
    if faults:
        text = "; ".join(f"{fault.field} {fault.message}" for fault in faults)
        raise Invalid(f"cannot estimate: {text}", errors=faults)
