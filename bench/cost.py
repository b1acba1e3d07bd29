"""CPU time of estimates and forecasts for 10,000 tenants on one core."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal

from bench.rows import Row, cpu_seconds
from controlplane.catalog.cost_tables import tables
from controlplane.catalog.pricebook import load_book, parse_book
from controlplane.catalog.prices import FOLDER
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.fleet import FleetTenant, split_shared, total, totals_by
from controlplane.domain.cost.forecast import Growth, Scenario, forecast, turning_points, what_if
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant

TENANTS = 10_000
MIX: Mapping[str, Decimal | int] = {"micro": 60, "small": 30, "medium": 10}
_LOADING = """
import time
import controlplane.domain.cost.tenant, controlplane.catalog
started = time.process_time()
from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
load_book(), load_model()
print(time.process_time() - started)
"""


def rows() -> list[Row]:
    load_book()
    load_model()
    fleet = estimate_fleet()
    return [
        _row("price book read and checked", 1, _read_book, 0.03),
        _fresh_row("book and model, import to loaded, new process", 0.03),
        _row("tenants estimated with lines", TENANTS, estimate_fleet, 2),
        _row("what-if of one fleet with a mix", TENANTS, lambda: _what_if(TENANTS), 1),
        _row("forecast, 120 months up to the most tenants", TENANTS, _forecast, 1),
        _row("what-if for every count from 1 to the most", TENANTS, _every_count, None),
        _row("fleet totals by five groupings", TENANTS, lambda: _totals(fleet), None),
        _row("shared cost split to the cent", TENANTS, _split, None),
        _row("reference tables computed", len(tables()), tables.__wrapped__, None),
    ]


def _row(what: str, count: int, work: Callable[[], object], goal: float | None) -> Row:
    return Row(what if count == 1 else f"{what} ({count:,})", cpu_seconds(work), "CPU s", goal=goal)


def _fresh_row(what: str, goal: float) -> Row:
    done = subprocess.run(
        [sys.executable, "-c", _LOADING], capture_output=True, text=True, timeout=60, check=True
    )
    return Row(what, float(done.stdout), "CPU s", goal=goal)


def _read_book() -> None:
    parse_book("list", (FOLDER / "list.csv").read_text(encoding="utf-8"))


def _shapes() -> list[TenantShape]:
    sizes = ["micro"] * 6 + ["small"] * 3 + ["medium"]
    return [
        TenantShape(sizes[n % 10], "production" if n % 10 > 2 else "poc", storage_gb=20 + n % 80)
        for n in range(TENANTS)
    ]


def estimate_fleet() -> list[FleetTenant]:
    """Every tenant with its lines and total; no two neighbours alike."""
    model, rates = load_model(), load_book().rates("us-east-1")
    fleet = []
    for number, shape in enumerate(_shapes()):
        estimate = estimate_tenant(model, rates, shape, f"t{number}")
        fleet.append(FleetTenant(f"t{number}", shape.stage, shape.size, "us-east-1", estimate.total))
    return fleet


def _what_if(tenants: int) -> None:
    options = ("nat_gateway", "proxy", "waf", "multi_region", "support_business")
    what_if(load_model(), load_book().rates("us-east-1"), tenants, Scenario(mix=MIX, options=options))


def _forecast() -> None:
    growth = Growth(10, 120, tenants_a_month=85)
    forecast(load_model(), load_book().rates("us-east-1"), growth, Scenario(mix=MIX))
    turning_points(load_model())


def _every_count() -> None:
    model, rates = load_model(), load_book().rates("us-east-1")
    for tenants in range(1, TENANTS + 1):
        what_if(model, rates, tenants, Scenario(mix=MIX))


def _totals(fleet: list[FleetTenant]) -> None:
    total(fleet)
    for by in ("stage", "size", "region", "tier", "label:team"):
        totals_by(fleet, by)


def _split() -> None:
    split_shared(Decimal("123456.78"), {f"t{n}": n % 17 for n in range(TENANTS)}, "usage")
