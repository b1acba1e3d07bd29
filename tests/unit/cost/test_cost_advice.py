"""Budgets, phases, spikes, worries, support, NAT, proxy and total cost of ownership."""

from __future__ import annotations

from decimal import Decimal

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.advice import budgets
from controlplane.domain.cost.advice.network import NatNeeds, choose_nat, choose_proxy, refuse_without_nat
from controlplane.domain.cost.advice.ownership import addons_net, operations_usd, ownership
from controlplane.domain.cost.advice.spikes import find_spikes, new_services, suspects_of
from controlplane.domain.cost.advice.support import advise_support
from controlplane.domain.cost.advice.worry import Signs, worries
from controlplane.domain.cost.platform import estimate_platform
from controlplane.domain.errors import Invalid

MODEL = load_model()
LIST = load_book().rates("us-east-1")


def costs(*usd: int) -> list[Decimal]:
    return [Decimal(x) for x in usd]


def test_a_budget_alerts_at_eighty_and_a_hundred_percent() -> None:
    assert [(a.percent, a.at_usd) for a in budgets.alerts(MODEL)] == [(80, Decimal(80)), (100, Decimal(100))]
    assert [a.percent for a in budgets.passed_alerts(MODEL, Decimal(250), Decimal(200))] == [80]
    with pytest.raises(Invalid, match="monthly_usd"):
        budgets.alerts(MODEL, Decimal(-1))


@pytest.mark.parametrize(
    ("users", "phase"),
    [(0, "launch"), (49, "launch"), (50, "early growth"), (200, "growth"), (499, "growth"), (500, "scale")],
)
def test_the_budget_follows_the_phase(users: int, phase: str) -> None:
    assert budgets.phase_for(MODEL, users).name == phase


def test_the_phases_of_a_year_add_up() -> None:
    assert budgets.year_budget(MODEL) == (1620, 2710)


def test_expected_spend_follows_users_and_businesses() -> None:
    assert budgets.expected_spend(MODEL, "users", 2500).high == 800
    assert budgets.expected_spend(MODEL, "businesses", 700).low == 80
    assert budgets.expected_spend(MODEL, "users", 3).name == "100-500"
    with pytest.raises(Invalid, match="'stars'"):
        budgets.expected_spend(MODEL, "stars", 1)


@pytest.mark.parametrize(
    ("by", "number", "changes"),
    [
        ("users", 499, ()),
        ("users", 500, ("read replica", "more memory or time for functions", "review CDN caching")),
        ("users", 2000, ("larger database", "second region", "reserved concurrency", "support plan")),
        ("businesses", 100, ()),
        ("businesses", 500, ("storage",)),
        ("businesses", 1000, ("watch the database", "read replica")),
        ("businesses", 2000, ("larger database", "NAT gateway", "second region")),
    ],
)
def test_what_changes_follows_users_and_businesses(by: str, number: int, changes: tuple[str, ...]) -> None:
    assert tuple(budgets.expected_spend(MODEL, by, number).changes) == changes


def test_the_buffer_is_what_the_real_lines_leave() -> None:
    estimate = estimate_platform(MODEL, LIST, "serverless_shared_db", "production", 1000)
    assert budgets.buffer_left(Decimal(100), estimate) == Decimal(100) - estimate.known_usd
    ireland = load_book().rates("eu-west-1")
    unknown = estimate_platform(MODEL, ireland, "serverless_shared_db", "production", 1000)
    assert budgets.buffer_left(Decimal(100), unknown) is None


def test_a_month_is_extrapolated_by_its_days() -> None:
    assert budgets.burn(costs(3, 3, 4), 30).month_end_usd == Decimal("100.00")
    with pytest.raises(Invalid):
        budgets.burn([], 30)


def test_a_spike_names_its_culprits_and_fixes() -> None:
    [spike] = find_spikes(
        MODEL, {"AWS Lambda": costs(1, 1, 2, 1, 1, 1, 9), "Amazon S3": costs(2, 2, 2, 2, 2, 2, 2)}
    )
    assert (spike.service, spike.usual_usd, spike.today_usd, spike.times) == (
        "AWS Lambda",
        1,
        9,
        Decimal("9.0"),
    )
    assert "run long" in spike.culprits[0]
    assert "set reserved concurrency" in spike.fixes


def test_small_changes_and_short_histories_are_no_spikes() -> None:
    assert not find_spikes(MODEL, {"RDS": costs(10, 10, 10, 10, 10, 10, 15)})
    assert find_spikes(MODEL, {"RDS": costs(10, 10, 10, 10, 10, 10, 16)})
    assert not find_spikes(MODEL, {"RDS": costs(1, 1, 50)})
    assert not find_spikes(MODEL, {"SNS": [*costs(0, 0, 0, 0, 0, 0), Decimal("0.99")]})


def test_one_odd_day_before_does_not_hide_a_spike() -> None:
    assert find_spikes(MODEL, {"RDS": costs(2, 2, 90, 2, 2, 2, 2, 30)})


def test_the_largest_jump_comes_first() -> None:
    daily = {"A": costs(1, 1, 1, 1, 1, 1, 5), "B": costs(1, 1, 1, 1, 1, 1, 50)}
    assert [s.service for s in find_spikes(MODEL, daily)] == ["B", "A"]


def test_a_service_that_never_cost_anything_is_told() -> None:
    assert new_services({"SageMaker": costs(0, 0, 7), "RDS": costs(1, 1, 7)}) == ["SageMaker"]


@pytest.mark.parametrize(
    "service",
    [
        "EC2 - Other (NAT)",
        "AWS Lambda",
        "Amazon Relational Database Service",
        "Amazon API Gateway",
        "AmazonCloudWatch",
        "Quantum",
    ],
)
def test_every_service_has_a_suspect_and_a_fix(service: str) -> None:
    culprits, fixes = suspects_of(MODEL, service)
    assert culprits
    assert fixes


@pytest.mark.parametrize(
    ("signs", "rules"),
    [
        (Signs(monthly_usd=Decimal(201), users=99), ["bill"]),
        (Signs(monthly_usd=Decimal(200), users=99), []),
        (Signs(monthly_usd=Decimal(201), users=100), []),
        (Signs(function_errors_percent=Decimal("1.1")), ["function_errors"]),
        (Signs(function_errors_percent=Decimal(1)), []),
        (Signs(database_cpu_percent=Decimal(81), database_cpu_minutes=10), ["database_cpu"]),
        (Signs(database_cpu_percent=Decimal(81), database_cpu_minutes=9), []),
        (Signs(response_seconds=Decimal("2.1")), ["response"]),
        (Signs(response_seconds=Decimal(2)), []),
        (Signs(), []),
    ],
)
def test_worries_begin_beyond_their_thresholds(signs: Signs, rules: list[str]) -> None:
    assert [w.rule for w in worries(signs)] == rules


@pytest.mark.parametrize(
    ("customers", "revenue", "bill", "plan", "usd"),
    [
        (0, 0, 0, "basic", "0.00"),
        (99, 4999, 0, "basic", "0.00"),
        (100, 0, 0, "developer", "29.00"),
        (0, 5000, 0, "developer", "29.00"),
        (500, 0, 900, "business", "100.00"),
        (0, 20000, 2000, "business", "200.00"),
    ],
)
def test_the_support_plan_follows_customers_or_revenue(
    customers: int, revenue: int, bill: int, plan: str, usd: str
) -> None:
    advice = advise_support(
        MODEL, LIST, customers=customers, revenue_usd=Decimal(revenue), bill_usd=Decimal(bill)
    )
    assert (advice.plan, str(advice.monthly_usd)) == (plan, usd)


def test_a_share_of_an_unknown_bill_is_unknown() -> None:
    assert advise_support(MODEL, LIST, customers=500, bill_usd=None).monthly_usd is None


@pytest.mark.parametrize(
    ("needs", "kind", "count"),
    [
        (NatNeeds(), "instance", 1),
        (NatNeeds(external_calls=False, production=True), "none", 0),
        (NatNeeds(production=True, zones=2), "gateway", 2),
        (NatNeeds(gbps=Decimal(5)), "instance", 1),
        (NatNeeds(gbps=Decimal("5.1")), "gateway", 1),
        (NatNeeds(can_operate=False), "gateway", 1),
        (NatNeeds(month=7, grew=True), "gateway", 1),
        (NatNeeds(month=7), "instance", 1),
        (NatNeeds(budget_usd=Decimal(99)), "instance", 1),
        (NatNeeds(budget_usd=Decimal(100)), "gateway", 1),
    ],
)
def test_nat_is_chosen_by_need(needs: NatNeeds, kind: str, count: int) -> None:
    choice = choose_nat(MODEL, needs)
    assert (choice.kind, choice.count) == (kind, count)
    assert choice.reason


def test_traffic_between_one_and_five_gigabit_is_a_review() -> None:
    assert choose_nat(MODEL, NatNeeds(gbps=Decimal(1))).review
    assert not choose_nat(MODEL, NatNeeds(gbps=Decimal("0.9"))).review


def test_nat_cannot_go_while_external_apis_are_called() -> None:
    refuse_without_nat(external_calls=False)
    with pytest.raises(Invalid, match="external APIs"):
        refuse_without_nat(external_calls=True)


def test_functions_need_the_proxy_and_containers_when_pools_grow() -> None:
    assert choose_proxy(MODEL, compute="lambda", concurrency=100, pool=2).mandatory
    assert not choose_proxy(MODEL, compute="fargate", concurrency=10).needed
    assert choose_proxy(MODEL, compute="fargate", concurrency=11).needed
    with pytest.raises(Invalid, match="exceed the proxy"):
        choose_proxy(MODEL, compute="lambda", concurrency=101)


def test_five_hundred_executions_at_once_need_pools_of_two() -> None:
    assert choose_proxy(MODEL, compute="lambda", concurrency=500, pool=2).mandatory
    with pytest.raises(Invalid, match="exceed the proxy"):
        choose_proxy(MODEL, compute="lambda", concurrency=500, pool=3)


def test_ownership_is_the_bill_and_the_people() -> None:
    whole = ownership(MODEL, Decimal("5814.43"), 100)
    assert (whole.total_usd, whole.infrastructure_percent) == (Decimal(45814), Decimal("12.7"))
    assert whole.saved_percent(infrastructure_cut=50) == Decimal("6.35")
    assert ownership(MODEL, None, 100).infrastructure_percent is None


def test_operations_are_those_of_the_listed_fleet_below() -> None:
    assert [operations_usd(MODEL, n) for n in (1, 10, 24, 25, 99, 100, 5000)] == [
        19250, 19250, 19250, 28750, 28750, 40000, 40000,
    ]  # fmt: skip


def test_add_ons_are_set_against_what_they_save() -> None:
    assert addons_net(Decimal(75), Decimal(216), 30) == Decimal("10.20")
    assert addons_net(Decimal(50), Decimal(1000), 20) == Decimal("-150.00")
