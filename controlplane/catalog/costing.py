"""What tenants' workspaces cost by the book in force. A region without prices is unknown, not an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from controlplane.catalog.pricebook import current_book, load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.book import PriceBook, Rates
from controlplane.domain.cost.estimate import Estimate
from controlplane.domain.cost.model import CostModel
from controlplane.domain.cost.tenant import estimate_schema, estimate_slots, shape_of_slot
from controlplane.domain.workspace import SlotSpec

Shape = tuple[object, ...]


def book_in_force(folder: Path | None, today: date) -> PriceBook:
    """The newest book that somebody took, else the one that ships."""
    return load_book() if folder is None else current_book(folder, today)


@dataclass(frozen=True)
class Pricer:
    """One book and one model; equal workspaces are counted once, so that a whole fleet is quick."""

    book: PriceBook
    model: CostModel = field(default_factory=load_model)
    _rates: dict[str, Rates] = field(default_factory=dict, repr=False)
    _totals: dict[Shape, Decimal | None] = field(default_factory=dict, repr=False)

    def knows(self, region: str) -> bool:
        return region in self.book.regions

    def rates(self, region: str) -> Rates:
        """Of a region that the book does not have, every price is unknown."""
        if region not in self._rates:
            empty = Rates(self.book.name, region, {}, self.book.calibration)
            self._rates[region] = self.book.rates(region) if self.knows(region) else empty
        return self._rates[region]

    def estimate(
        self, slots: Sequence[SlotSpec], stage: str, region: str, *, running: bool = True
    ) -> Estimate:
        """A tenant's own workspace, with its lines by slot; a slot may be kept as another stage's."""
        shapes = [
            (f"e{slot.epoch}", shape_of_slot(slot, str(slot.stage or stage), running=running))
            for slot in slots
        ]
        return estimate_slots(self.model, self.rates(region), shapes)

    def estimate_schema(self, region: str) -> Estimate:
        """A tenant that is a schema of its platform's database."""
        return estimate_schema(self.rates(region))

    def monthly_usd(
        self, slots: Sequence[SlotSpec], stage: str, region: str, *, running: bool = True
    ) -> Decimal | None:
        """Its total alone; None where a price is not known."""
        shape = (stage, region, running, *(_shape(slot) for slot in slots))
        if shape not in self._totals:
            self._totals[shape] = self.estimate(slots, stage, region, running=running).total
        return self._totals[shape]


def _shape(slot: SlotSpec) -> Shape:
    """Everything of a slot that its cost depends on."""
    return (slot.size, slot.stage, slot.storage_gb, slot.multi_az, slot.backup_days > 0, slot.alarms)


def pricer(folder: Path | None, today: date) -> Pricer:
    return Pricer(book_in_force(folder, today))


def monthly_usd(
    slots: Sequence[SlotSpec],
    stage: str,
    region: str,
    running: bool = True,
    book: PriceBook | None = None,
) -> Decimal | None:
    """What a tenant's slots cost a month, by this book or the one that ships; None: a price is not known."""
    return Pricer(book or load_book()).monthly_usd(slots, stage, region, running=running)
