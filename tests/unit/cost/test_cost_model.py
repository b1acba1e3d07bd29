"""The cost model's data: whole, in agreement with the catalog, and refused when it is not."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

import pytest

from controlplane.catalog.fact_files import read_databases, read_quotas
from controlplane.catalog.loading import load
from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices import FOLDER
from controlplane.catalog.prices.model import load_model, parse_model
from controlplane.catalog.prices.modules import UNKNOWN, estimate_module, known_components
from controlplane.catalog.prices.selectors import selector_for
from controlplane.catalog.values import CostLine
from controlplane.domain.errors import Invalid
from controlplane.domain.tenant import Size, Stage, cost_tier

MODEL = load_model()
FACTS = FOLDER.parent / "facts"


def data() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "model.toml").read_text(), parse_float=Decimal)


def parse(changed: dict[str, Any]) -> None:
    parse_model(changed, read_databases(FACTS / "databases.toml"), read_quotas(FACTS / "quotas.toml"))


def test_every_size_of_the_ladder_is_priced_in_both_zonings() -> None:
    rates = load_book().rates("us-east-1")
    for size in Size:
        for zones in ("single", "multi"):
            assert rates[f"rds.instance.{MODEL.size(size).instance_class}.{zones}"]


def test_every_tier_of_every_stage_has_a_band() -> None:
    assert set(MODEL.bands) == {cost_tier(stage, size) for stage in Stage for size in Size}


def test_every_price_key_that_the_data_names_is_in_every_book() -> None:
    items = [item for plan in MODEL.plans.values() for item in plan]
    items += [item for o in MODEL.options.values() for item in (*o.items, *o.items_high)]
    named = {item.key for item in items} | {plan.key for plan in MODEL.support if plan.key}
    for book in (load_book(), load_book("reference")):
        for region in book.regions:
            assert not [key for key in named if book.entry(key, region) is None]


def test_exclusions_are_mutual() -> None:
    for name, option in MODEL.options.items():
        for other in option.excludes:
            assert name in MODEL.option(other).excludes


def test_stepped_rows_are_as_long_as_their_bands() -> None:
    for stages in MODEL.profiles.values():
        for profile in stages.values():
            rows = (profile.tasks, profile.tasks_most, profile.lcu, profile.metrics, profile.alarms)
            assert {len(row) for row in (*rows, profile.dashboards)} == {len(profile.tenants)}


def test_an_unknown_or_missing_field_is_refused_by_its_place() -> None:
    with pytest.raises(Invalid, match=r"model\.free: unknown lunches"):
        parse({**data(), "free": {**data()["free"], "lunches": 1}})
    with pytest.raises(Invalid, match="missing metrics"):
        parse({**data(), "free": {"alarms": 1, "transfer_gb": 1, "insights_days": 7}})
    with pytest.raises(Invalid, match=r"model\.free\.alarms must be int"):
        parse({**data(), "free": {**data()["free"], "alarms": "ten"}})
    with pytest.raises(Invalid, match="no quota 'moons'"):
        parse({**data(), "limits": [{"quota": "moons", "per_tenant": 1, "action": "x"}]})


def test_selectors_fill_in_the_class_and_leave_flat_estimates_alone() -> None:
    selector = selector_for("rds.instance.db.t4g.small.multi")
    assert selector is not None
    assert selector.usage == "Multi-AZUsage:db.t4g.small"
    assert selector.filters["instanceType"] == "db.t4g.small"
    assert selector.matches("EU-Multi-AZUsage:db.t4g.small")
    assert selector.matches("Multi-AZUsage:db.t4g.small")
    assert not selector.matches("Multi-AZUsage:db.t4g.smallest")
    assert selector_for("waf") is None


def test_selectors_exist_for_what_makes_up_a_tenant() -> None:
    for key in load_book().rates("us-east-1").usd:
        if key.startswith(("rds.instance", "rds.storage", "rds.backup", "secrets", "cloudwatch.alarm")):
            assert selector_for(key) is not None


def test_every_component_that_a_module_states_is_in_the_price_catalog() -> None:
    for module in load().modules.values():
        assert not {cost.component for cost in module.costs} - known_components(), module.name


def test_a_module_costs_what_its_lines_and_inputs_say() -> None:
    rates = load_book().rates("us-east-1")
    slot = {"instance_class": "db.t4g.small", "multi_az": True, "storage_gb": 20, "alarms": {"a": 1, "b": 2}}
    lines = [
        CostLine(
            "rds_instance_month",
            1,
            select={"instance_class": "slot.instance_class", "multi_az": "slot.multi_az"},
        ),
        CostLine(
            "rds_storage_gp3_gb_month", value_of="slot.storage_gb", select={"multi_az": "slot.multi_az"}
        ),
        CostLine("cloudwatch_alarm_month", count_of="slot.alarms"),
        CostLine("rds_backup_gb_month", value_of="slot.storage_gb"),
    ]
    estimate = estimate_module(lines, {"slot": slot}, rates)
    assert [str(line.monthly_usd) for line in estimate.lines] == ["46.72", "2.30", "0.20", "0"]
    assert estimate_module([CostLine("unobtainium_month", 1)], {}, rates).total is None
    assert estimate_module(lines[:1], {}, rates).total is None
    assert estimate_module([CostLine("ec2_instance_month", 1)], {}, rates).total is None


def test_a_line_counts_only_where_its_input_is_as_it_says() -> None:
    rates = load_book().rates("us-east-1")
    line = CostLine("nat_gateway_month", count_of="zones", when={"mode": "gateway"})
    zones = ("us-east-1a", "us-east-1b")
    assert estimate_module([line], {"mode": "gateway", "zones": zones}, rates).total == Decimal(64)
    assert estimate_module([line], {"mode": "instance", "zones": zones}, rates).lines == ()


def test_a_line_can_be_multiplied_and_what_is_known_only_after_an_apply_is_unknown() -> None:
    rates = load_book().rates("us-east-1")
    line = CostLine("vpc_endpoint_month", count_of="services", times="zones")
    inputs = {"services": ["logs", "ssm"], "zones": ["a", "b", "c"]}
    assert estimate_module([line], inputs, rates).total == Decimal("43.80")
    assert estimate_module([line], inputs | {"zones": UNKNOWN}, rates).total is None
