"""Total cost of ownership: the bill and the people who run it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from controlplane.domain.cost.estimate import check_numbers, round_to
from controlplane.domain.cost.model import CostModel
from controlplane.domain.money import cents

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Ownership:
    tenants: int
    infrastructure_usd: Decimal | None  # whole dollars a month
    operations_usd: Decimal

    @property
    def total_usd(self) -> Decimal | None:
        return None if self.infrastructure_usd is None else self.infrastructure_usd + self.operations_usd

    @property
    def infrastructure_percent(self) -> Decimal | None:
        if not self.total_usd or self.infrastructure_usd is None:
            return None
        return (self.infrastructure_usd * 100 / self.total_usd).quantize(_TENTH, ROUND_HALF_UP)

    def saved_percent(self, infrastructure_cut: int = 0, operations_cut: int = 0) -> Decimal | None:
        """By how much the whole falls when a part is cut by so many percent."""
        if not self.total_usd or self.infrastructure_usd is None:
            return None
        saved = self.infrastructure_usd * infrastructure_cut + self.operations_usd * operations_cut
        return (saved / self.total_usd).quantize(Decimal("0.01"), ROUND_HALF_UP)


def operations_usd(model: CostModel, tenants: int) -> Decimal:
    """Of the largest listed fleet that is not larger; below the first, the first."""
    check_numbers(tenants=tenants)
    listed = [n for n in model.operations if n <= tenants] or [min(model.operations)]
    return model.operations[max(listed)]


def ownership(model: CostModel, infrastructure_usd: Decimal | None, tenants: int) -> Ownership:
    whole = None if infrastructure_usd is None else round_to(infrastructure_usd, Decimal(1))
    return Ownership(tenants, whole, operations_usd(model, tenants))


def addons_net(addons_usd: Decimal, tasks_usd: Decimal, cut_percent: int) -> Decimal:
    """What performance add-ons cost once they cut the tasks' cost by a percentage; negative: a gain."""
    check_numbers(addons_usd=addons_usd, tasks_usd=tasks_usd, cut_percent=cut_percent)
    return cents(addons_usd - tasks_usd * cut_percent / 100)
