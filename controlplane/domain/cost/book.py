"""A price book: what one unit costs, where, since when, and who says so. Unknown is None, never zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from controlplane.domain.errors import FieldError, Invalid

CURRENCY = "USD"
KINDS = ("list", "derived", "estimate", "calibration", "unknown")
# What a book may calibrate, and the value that leaves the arithmetic alone.
NEUTRAL: Mapping[str, Decimal] = {
    "step.fargate_task": Decimal("0.01"),  # a task's month is rounded to this before it is multiplied
    "step.database_poc": Decimal("0.01"),  # the same for a PoC database with its storage
    "step.database_production": Decimal("0.01"),
    "step.scenario": Decimal("0.01"),  # traffic scenarios are rounded up to a multiple of this
    "logs.waived_gb": Decimal(0),  # up to this volume a month's logs are free, above it all is billed
    "poc.headline_ratio": Decimal("0.36"),  # PoC above five tenants, as a share of production
}


@dataclass(frozen=True, slots=True)
class Price:
    key: str
    region: str
    unit: str
    usd: Decimal | None  # None: the price exists and is not known
    kind: str
    valid_from: date
    valid_until: date | None
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """A book seen from one region; what the rules work with."""

    book: str
    region: str
    usd: Mapping[str, Decimal | None]
    calibration: Mapping[str, Decimal]

    def __getitem__(self, key: str) -> Decimal | None:
        return self.usd.get(key)


@dataclass(frozen=True)
class PriceBook:
    name: str
    dated: date
    entries: Mapping[tuple[str, str], Price]
    calibration: Mapping[str, Decimal] = field(default_factory=lambda: dict(NEUTRAL))
    title: str = ""

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(region for _, region in self.entries))

    def entry(self, key: str, region: str) -> Price | None:
        self._check_region(region)
        return self.entries.get((key, region))

    def price(self, key: str, region: str) -> Decimal | None:
        """USD for one unit, or None where nobody knows it."""
        entry = self.entry(key, region)
        return entry.usd if entry else None

    def rates(self, region: str) -> Rates:
        self._check_region(region)
        usd = {key: price.usd for (key, at), price in self.entries.items() if at == region}
        return Rates(self.name, region, usd, self.calibration)

    def expired(self, today: date) -> list[Price]:
        """Prices whose validity has not begun or is over."""
        return [
            p
            for p in self.entries.values()
            if p.valid_from > today or (p.valid_until is not None and p.valid_until < today)
        ]

    def _check_region(self, region: str) -> None:
        if region not in self.regions:
            known = ", ".join(self.regions) or "none"
            raise Invalid(
                f"the price book {self.name!r} has no prices for region {region!r}; it knows: {known}",
                hint="use a region of the book, or take a refreshed book that has this one",
                errors=[FieldError("region", f"not in the price book: {region!r}")],
            )


def make_book(
    name: str,
    rows: Iterable[Price],
    *,
    needed: Iterable[str] = (),
    calibration: Mapping[str, Decimal] | None = None,
    currency: str = CURRENCY,
) -> PriceBook:
    """A book without holes, doubles or negative prices; anything else is refused with all its faults."""
    if currency != CURRENCY:
        message = f"the price book {name!r} is in {currency!r}: only USD is understood"
        raise Invalid(message, errors=[FieldError("currency", "must be USD")])
    listed = list(rows)
    faults = [*_row_faults(listed), *_holes(listed, needed), *_calibration_faults(calibration or {})]
    if faults:
        raise Invalid(
            f"the price book {name!r} is refused: " + "; ".join(f"{f.field} {f.message}" for f in faults),
            hint="a price that nobody knows is a row of kind `unknown` without a figure",
            errors=faults,
        )
    entries = {(p.key, p.region): p for p in listed}
    dated = max(p.valid_from for p in listed)
    return PriceBook(name, dated, entries, {**NEUTRAL, **(calibration or {})})


def _row_faults(rows: list[Price]) -> list[FieldError]:
    if not rows:
        return [FieldError("prices", "are missing: the book is empty")]
    faults = []
    seen: set[tuple[str, str]] = set()
    for price in rows:
        where = f"{price.key}@{price.region}"
        if (price.key, price.region) in seen:
            faults.append(FieldError(where, "stands twice"))
        seen.add((price.key, price.region))
        faults += [FieldError(where, fault) for fault in _faults_of(price)]
    return faults


def _faults_of(price: Price) -> list[str]:
    faults = []
    if price.usd is not None and not (price.usd.is_finite() and price.usd >= 0):
        faults.append(f"is {price.usd}: a price is a number that is not negative")
    if (price.usd is None) != (price.kind == "unknown"):
        faults.append("must be of kind unknown when it has no figure, and only then")
    if price.kind not in KINDS:
        faults.append(f"has the kind {price.kind!r}: use one of {', '.join(KINDS)}")
    if not (price.unit and price.source and price.region):
        faults.append("needs unit, region and source")
    if price.valid_until is not None and price.valid_until < price.valid_from:
        faults.append("ends before it begins")
    return faults


def _holes(rows: list[Price], needed: Iterable[str]) -> list[FieldError]:
    have: dict[str, set[str]] = {}
    for price in rows:
        have.setdefault(price.region, set()).add(price.key)
    wanted = tuple(needed)
    return [
        FieldError(f"{key}@{region}", "is missing")
        for region, keys in have.items()
        for key in wanted
        if key not in keys
    ]


def _calibration_faults(calibration: Mapping[str, Decimal]) -> list[FieldError]:
    faults = [
        FieldError(name, "is no calibration that a rule reads") for name in calibration if name not in NEUTRAL
    ]
    for name, value in calibration.items():
        if value < 0 or (name.startswith("step.") and value == 0):
            faults.append(FieldError(name, "must be positive"))
    return faults


@dataclass(frozen=True, slots=True)
class PriceChange:
    key: str
    region: str
    before: Decimal | None
    after: Decimal | None
    what: str  # added, removed, changed, became_unknown, became_known

    @property
    def percent(self) -> Decimal | None:
        if not self.before or self.after is None:
            return None
        return ((self.after - self.before) * 100 / self.before).quantize(Decimal("0.1"))


@dataclass(frozen=True)
class Refresh:
    """A new dated book and what taking it would mean; it counts only once somebody has taken it."""

    book: PriceBook
    changes: tuple[PriceChange, ...]
    answered: int
    kept: tuple[str, ...]  # flat estimates that AWS publishes no price for
    unanswered: Mapping[str, str]  # key@region: why AWS's answer could not be used; the old price stays


def diff_books(old: PriceBook, new: PriceBook) -> list[PriceChange]:
    """What taking the new book would change, in the order of keys."""
    changes = []
    for key, region in sorted(old.entries.keys() | new.entries.keys()):
        before, after = old.entries.get((key, region)), new.entries.get((key, region))
        what = _difference(before, after)
        if what:
            changes.append(
                PriceChange(key, region, before.usd if before else None, after.usd if after else None, what)
            )
    return changes


def _difference(before: Price | None, after: Price | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if before.usd == after.usd:
        return ""
    if after.usd is None:
        return "became_unknown"
    return "became_known" if before.usd is None else "changed"
