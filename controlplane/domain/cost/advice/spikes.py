"""Spikes: which service costs much more today than usual, why that tends to be, and what helps at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from controlplane.domain.cost.model import CostModel

FEWEST_DAYS = 5
TIMES = Decimal("1.5")
LEAST_USD = Decimal(1)

# The order of looking, and cuts that need a guard before anybody makes them.
FIRST_LOOK = "daily cost by service, then by tenant"
GUARDED_CUTS = (
    ("remove the NAT", "only when nothing calls an external API"),
    ("keep backups for one day", "never in production: seven days there"),
    ("lower the memory of functions", "only when their peak allows it"),
)


@dataclass(frozen=True, slots=True)
class Spike:
    service: str
    usual_usd: Decimal  # median of the days before
    today_usd: Decimal
    culprits: tuple[str, ...]
    fixes: tuple[str, ...]

    @property
    def times(self) -> Decimal | None:
        return (self.today_usd / self.usual_usd).quantize(Decimal("0.1")) if self.usual_usd else None


def find_spikes(
    model: CostModel,
    daily: Mapping[str, Sequence[Decimal]],
    *,
    times: Decimal = TIMES,
    least_usd: Decimal = LEAST_USD,
) -> list[Spike]:
    """`daily` is cost by service, oldest day first, today last; the largest jump comes first.

    A service without enough days says nothing: one that is new is told by `new_services`.
    """
    found = []
    for service, costs in daily.items():
        if len(costs) <= FEWEST_DAYS:
            continue
        usual, today = Decimal(median(costs[:-1])), costs[-1]
        if today - usual >= least_usd and today > usual * times:
            culprits, fixes = suspects_of(model, service)
            found.append(Spike(service, usual, today, culprits, fixes))
    return sorted(found, key=lambda s: (s.usual_usd - s.today_usd, s.service))


def new_services(daily: Mapping[str, Sequence[Decimal]], least_usd: Decimal = LEAST_USD) -> list[str]:
    """Services that cost nothing on every day before today."""
    return [s for s, costs in daily.items() if costs and costs[-1] >= least_usd and not any(costs[:-1])]


def suspects_of(model: CostModel, service: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Likely culprits and quick fixes for a service as the bill names it."""
    name = service.lower()
    hits = [s for s in model.suspects if s.service in name] or [s for s in model.suspects if s.service == ""]
    fixes = dict.fromkeys(fix for hit in hits for fix in hit.fixes)
    return tuple(hit.culprit for hit in hits), tuple(fixes)
