"""CPU time of estimates and forecasts for 10,000 tenants on one core.

Run from the checkout: `python bench/cost.py`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

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


def rows() -> list[dict[str, Any]]:
    """One row a measurement: what, how many, seconds, the goal in seconds, and how much of it is used."""
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


def _row(what: str, count: int, work: Callable[[], object], goal: float | None) -> dict[str, Any]:
    started = time.process_time()
    work()
    return _measured(what, count, time.process_time() - started, goal)


def _measured(what: str, count: int, seconds: float, goal: float | None) -> dict[str, Any]:
    return {
        "what": what,
        "count": count,
        "seconds": round(seconds, 4),
        "goal_seconds": goal,
        "of_goal": None if goal is None else round(seconds / goal, 3),
        "each_us": round(seconds * 1e6 / count, 1),
    }


def _fresh_row(what: str, goal: float) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _LOADING], capture_output=True, text=True, timeout=60, check=True
    )
    return _measured(what, 1, float(done.stdout), goal)


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


def main() -> None:
    print(f"{'what':48} {'count':>7} {'seconds':>9} {'goal':>6} {'of goal':>8} {'µs each':>9}")
    for row in rows():
        goal = "" if row["goal_seconds"] is None else f"{row['goal_seconds']:g}"
        share = "" if row["of_goal"] is None else f"{row['of_goal']:.1%}"
        numbers = f"{row['count']:7} {row['seconds']:9.4f} {goal:>6} {share:>8} {row['each_us']:9.1f}"
        print(f"{row['what']:48} {numbers}")


if __name__ == "__main__":
    main()
