"""Lines explain themselves, round once, and add up; the platform's vectors are met in both books."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from controlplane.catalog.pricebook import REFERENCE, load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost import components
from controlplane.domain.cost.estimate import Estimate, Line, charge, merge, plain, round_to, round_up_to
from controlplane.domain.cost.platform import estimate_platform, quantities, spread
from controlplane.domain.cost.tenant import TenantShape, estimate_slots, estimate_tenant
from controlplane.domain.errors import Invalid

MODEL = load_model()
LIST = load_book().rates("us-east-1")
SEED = load_book(REFERENCE).rates("us-east-1")
IRELAND = load_book().rates("eu-west-1")
BLUEPRINT = "fargate_db_per_tenant"


def tenant(size: str = "small", stage: str = "production", **more: object) -> Estimate:
    return estimate_tenant(MODEL, LIST, TenantShape(size, stage, **more))  # type: ignore[arg-type]


def part(lines: list[Line], number: int = 0) -> str:
    return str(lines[number].monthly_usd)


@pytest.mark.parametrize(
    ("stage", "tenants", "calibrated", "at_list"),
    [
        ("poc", 1, "55.28", "55.53"),
        ("poc", 5, "132.86", "132.80"),
        ("production", 1, "120.17", "120.21"),
        ("production", 5, "357.63", "357.69"),
        ("production", 10, "660.33", "660.41"),
        ("production", 25, "1536.43", "1536.55"),
        ("production", 50, "2968.43", "2968.59"),
        ("production", 100, "5814.43", "5814.67"),
    ],
)
def test_a_platform_costs_the_same_to_the_cent(
    stage: str, tenants: int, calibrated: str, at_list: str
) -> None:
    assert str(estimate_platform(MODEL, SEED, BLUEPRINT, stage, tenants).total) == calibrated
    assert str(estimate_platform(MODEL, LIST, BLUEPRINT, stage, tenants).total) == at_list


@pytest.mark.parametrize(
    ("lines", "printed"),
    [
        (components.bucket(LIST, Decimal(5), 5000), ["0.12", "0.03"]),
        (components.bucket(LIST, Decimal(25), 25000), ["0.58", "0.13"]),
        (components.load_balancer(LIST, 1, Decimal(0)), ["16.43", "0.00"]),
        (components.kept_logs(LIST, Decimal(50), Decimal("0.25")), ["0.38"]),
        (components.dns(LIST, 1, 10_000), ["0.50", "0.00"]),
        (components.function(LIST, Decimal("7.5"), Decimal("0.256"), Decimal("0.1")), ["1.50", "3.20"]),
    ],
)
def test_every_addend_is_rounded_half_up_on_its_own(lines: list[Line], printed: list[str]) -> None:
    assert [str(line.monthly_usd) for line in lines] == printed


@pytest.mark.parametrize(
    ("lines", "usd"),
    [
        (components.watching(LIST, MODEL.free, 10, 0, 0), "0.00"),
        (components.watching(LIST, MODEL.free, 11, 0, 0), "0.30"),
        (components.transfer(LIST, MODEL.free, Decimal(100)), "0.00"),
        (components.transfer(LIST, MODEL.free, Decimal(101)), "0.09"),
        (components.logs(SEED, Decimal("0.5")), "0.00"),
        (components.logs(SEED, Decimal("0.51")), "0.26"),
        (components.logs(LIST, Decimal("0.5")), "0.25"),
    ],
)
def test_free_allowances_end_where_they_say(lines: list[Line], usd: str) -> None:
    assert part(lines) == usd


def test_alarms_beyond_the_free_ones_are_billed() -> None:
    assert part(components.watching(LIST, MODEL.free, 0, 10, 0), 1) == "0.00"
    assert part(components.watching(LIST, MODEL.free, 0, 11, 0), 1) == "0.10"


def test_outgoing_data_is_billed_by_tiers() -> None:
    lines = components.transfer(LIST, MODEL.free, Decimal(100 + 10_240 + 1))
    assert [part(lines, 0), part(lines, 1)] == ["921.60", "0.09"]
    assert len(components.transfer(LIST, MODEL.free, Decimal(300_000))) == 4


def test_quantities_follow_the_listed_bands() -> None:
    profile = MODEL.profile(BLUEPRINT, "production")
    found = {n: quantities(profile, n) for n in (1, 5, 10, 25, 50, 100)}
    assert [q.tasks for q in found.values()] == [2, 3, 4, 6, 8, 12]
    assert [q.secrets for q in found.values()] == [5, 10, 15, 30, 55, 105]
    assert [q.log_gb for q in found.values()] == [2, 5, 10, 25, 50, 100]
    assert [q.transfer_gb for q in found.values()] == [50, 150, 300, 750, 1500, 3000]
    assert quantities(profile, 6).tasks == 4
    assert (quantities(profile, 101).tasks, quantities(profile, 101).cells) == (14, 2)


def test_a_cell_more_is_opened_beyond_the_last_band() -> None:
    two = estimate_platform(MODEL, LIST, BLUEPRINT, "production", 200)
    assert two.component("fargate") == 2 * Decimal("216.24")
    assert "cells" in two.note


def test_databases_dominate_the_bill_at_a_hundred_tenants() -> None:
    assert estimate_platform(MODEL, SEED, BLUEPRINT, "production", 100).share("rds") == Decimal("84.3")


def test_cost_per_tenant_falls_with_scale() -> None:
    each = [
        estimate_platform(MODEL, SEED, BLUEPRINT, "production", n).known_usd / n
        for n in (1, 5, 10, 25, 50, 100)
    ]
    assert each == sorted(each, reverse=True)


def test_poc_beyond_five_tenants_is_a_headline_and_says_so() -> None:
    estimate = estimate_platform(MODEL, SEED, BLUEPRINT, "poc", 50)
    assert (str(estimate.total), len(estimate.lines)) == ("1068.00", 1)
    assert "headline" in estimate.note


def test_a_tenant_costs_instance_storage_backup_alarms_and_secrets() -> None:
    assert {k: str(v) for k, v in tenant().by_component().items()} == {
        "rds": "49.02",
        "rds_backup": "1.90",
        "alarms": "0.60",
        "secrets_manager": "2.00",
    }
    assert str(tenant("micro", "poc").total) == "16.58"


def test_multi_az_doubles_the_instance_and_not_the_storage_of_the_shipped_book() -> None:
    single, multi = tenant(multi_az=False), tenant(multi_az=True)
    assert multi.known_usd - single.known_usd == Decimal("23.36")


def test_a_stopped_tenant_costs_its_storage() -> None:
    stopped = tenant("micro", "poc", running=False)
    assert str(stopped.component("rds")) == "2.30"
    assert str(stopped.lines[0].monthly_usd) in ("0", "0.00")


def test_a_stopped_tenant_is_known_even_where_its_class_is_not() -> None:
    shape = TenantShape("large", "poc", running=False)
    assert estimate_tenant(MODEL, IRELAND, shape).total is not None
    assert estimate_tenant(MODEL, IRELAND, replace(shape, running=True)).total is None


def test_backups_are_billed_beyond_the_size_of_the_storage() -> None:
    assert str(tenant(backup_gb=Decimal(20)).component("rds_backup")) == "0.00"
    assert str(tenant(backup_gb=Decimal(30)).component("rds_backup")) == "0.95"


def test_extras_are_lines_of_their_own() -> None:
    estimate = tenant(
        snapshot_gb=Decimal(20),
        log_gb=Decimal(10),
        log_months=Decimal(1),
        insights_days=31,
        proxy=True,
        replicas=1,
    )
    assert {k: str(v) for k, v in estimate.by_component().items() if k not in tenant().by_component()} == {
        "rds_snapshot": "1.90",
        "cloudwatch": "5.30",
        "rds_insights": "14.60",
        "rds_proxy": "21.90",
        "rds_replica": "25.66",
    }
    assert "rds_insights" not in tenant(insights_days=7).by_component()


def test_two_databases_of_one_tenant_are_told_apart() -> None:
    shape = TenantShape("micro", "poc")
    estimate = estimate_slots(MODEL, LIST, [("e1", shape), ("e2", replace(shape, size="small"))])
    assert {line.subject for line in estimate.lines} == {"e1", "e2", ""}
    assert str(estimate.total) == "44.44"
    assert not estimate_slots(MODEL, LIST, []).lines


def test_one_slot_costs_what_the_tenant_costs() -> None:
    shape = TenantShape("medium", "production", storage_gb=77)
    assert estimate_slots(MODEL, LIST, [("e1", shape)]).total == estimate_tenant(MODEL, LIST, shape).total


def test_unknown_reaches_every_total_it_touches() -> None:
    estimate = estimate_tenant(MODEL, IRELAND, TenantShape("large", "production"))
    assert (estimate.total, estimate.yearly, estimate.component("rds"), estimate.share("rds")) == (None,) * 4
    assert estimate.unknown == ("rds",)
    assert estimate.known_usd > 0
    assert str(estimate) == "unknown"
    assert merge([estimate, tenant()]).total is None


def test_an_estimate_is_plain_data_without_floats() -> None:
    data = json.loads(json.dumps(estimate_tenant(MODEL, IRELAND, TenantShape("large")).as_json()))
    assert data["monthly_usd"] is None
    assert data["lines"][1]["monthly_usd"] == "2.54"
    assert data["book"] == "list"


@pytest.mark.parametrize(
    ("field", "shape"),
    [
        ("size", TenantShape("gigantic")),
        ("stage", TenantShape("micro", "beta")),
        ("storage_gb", TenantShape("micro", storage_gb=-1)),
        ("alarms", TenantShape("micro", alarms=-4)),
        ("backup_gb", TenantShape("micro", backup_gb=Decimal(-1))),
        ("log_gb", TenantShape("micro", log_gb=Decimal("NaN"))),
        ("snapshot_gb", TenantShape("micro", snapshot_gb=1.5)),  # type: ignore[arg-type]
    ],
)
def test_a_shape_that_cannot_be_names_its_field(field: str, shape: TenantShape) -> None:
    with pytest.raises(Invalid) as caught:
        estimate_tenant(MODEL, LIST, shape)
    assert [fault.field for fault in caught.value.errors] == [field]


def test_unknown_classes_blueprints_and_negative_tenants_are_refused() -> None:
    with pytest.raises(Invalid, match=r"db\.x1"):
        MODEL.size_of_class("db.x1.huge")
    with pytest.raises(Invalid, match="no quantities"):
        estimate_platform(MODEL, LIST, "castle", "production", 1)
    with pytest.raises(Invalid, match="tenants"):
        estimate_platform(MODEL, LIST, BLUEPRINT, "production", -1)


def test_a_mix_is_spread_over_whole_tenants() -> None:
    assert spread(50, {"micro": 60, "small": 30, "medium": 10}) == {"micro": 30, "small": 15, "medium": 5}
    assert sum(spread(7, {"micro": 60, "small": 30, "medium": 10}).values()) == 7
    with pytest.raises(Invalid, match="99 percent"):
        spread(10, {"micro": 60, "small": 39})
    with pytest.raises(Invalid, match="no size 'titan'"):
        estimate_platform(MODEL, LIST, BLUEPRINT, "production", 10, {"titan": 100})


@pytest.mark.parametrize("blueprint", sorted(MODEL.plans))
def test_every_shared_database_blueprint_has_a_known_cost_that_grows(blueprint: str) -> None:
    few, many = (estimate_platform(MODEL, LIST, blueprint, "production", n).total for n in (1, 1000))
    assert few is not None
    assert many is not None
    assert 0 < few <= many


def test_rounding_is_half_up_to_any_step() -> None:
    assert str(round_to(Decimal("0.115"), Decimal("0.01"))) == "0.12"
    assert str(round_to(Decimal("0.125"), Decimal("0.01"))) == "0.13"
    assert str(round_to(Decimal("13.98"), Decimal(1))) == "14.00"
    assert str(round_up_to(Decimal("9.4"), Decimal(5))) == "10.00"
    assert str(round_up_to(Decimal(20), Decimal(5))) == "20.00"
    assert plain(Decimal("1E+2")) == "100"
    assert plain(Decimal("0.50")) == "0.5"


def test_a_charge_of_nothing_at_an_unknown_price_is_unknown() -> None:
    assert charge("x", Decimal(0), "hour", None, "rule").monthly_usd is None


PLATFORM_KEYS = [
    "fargate.vcpu",
    "fargate.memory",
    "rds.instance.db.t4g.small.multi",
    "rds.storage.gp3.multi",
    "rds.backup",
    "alb",
    "alb.lcu",
    "s3.standard",
    "s3.put",
    "logs.ingest",
    "cloudwatch.metric",
    "cloudwatch.alarm",
    "cloudwatch.dashboard",
    "secrets.secret",
    "dns.zone",
    "dns.query",
    "transfer.out",
]


@pytest.mark.parametrize("key", PLATFORM_KEYS)
def test_every_price_of_a_platform_is_needed_for_its_total(key: str) -> None:
    for book in (LIST, SEED):
        dark = replace(book, usd={**book.usd, key: None})
        assert estimate_platform(MODEL, dark, BLUEPRINT, "production", 10).total is None
        assert estimate_platform(MODEL, dark, BLUEPRINT, "poc", 50).total is None
