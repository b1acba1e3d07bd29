"""The reference tables come out of the engine to the cent, except where they contradict themselves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from controlplane.catalog.cost_tables import table, tables
from controlplane.catalog.cost_tables.formulas import evaluate
from controlplane.catalog.cost_tables.tables import unexplained
from controlplane.domain.errors import Invalid, Missing

# (table, row): our figure, the stated one, and the fault of the reference that explains the difference.
EXCEPTIONS = {
    ("004-prod-1", "total"): ("120.17", "118.27", "backup-line-left-out"),
    ("004-prod-1", "per_tenant"): ("120.17", "118.27", "backup-line-left-out"),
    ("004-exec-summary", "production_1"): ("120.17", "85..95", "summary-below-table"),
    ("004-exec-summary", "production_100"): ("5814.43", "2850..3100", "summary-below-table"),
    ("004-poc-to-prod-1", "all_components"): ("64.89", "59", "difference-names-three-parts"),
    ("004-poc-to-prod-1", "one_time_low"): ("500", "0", "one-time-without-labour"),
    ("004-poc-to-prod-1", "one_time_high"): ("1050", "20", "one-time-without-labour"),
    ("004-rds-reserved", "saving"): ("851.00", "850", "saving-rounded-to-fifty"),
    ("004-rds-reserved", "saving_year"): ("10212.00", "10200", "saving-rounded-to-fifty"),
    ("004-rds-reserved", "one_year_no_upfront_at_rates"): ("32.67", "32", "discount-on-storage-too"),
    ("004-fargate-savings-plan", "one_year"): ("100.80", "100", "savings-plan-above-its-band"),
    ("004-fargate-savings-plan", "saving"): ("43.20", "44", "savings-plan-above-its-band"),
    ("004-fargate-savings-plan", "saving_year"): ("518.40", "528", "savings-plan-above-its-band"),
    ("004-fargate-savings-plan", "implied_percent"): ("30.56", "20..30", "savings-plan-above-its-band"),
    ("004-right-sizing", "small_at_rates"): ("25.66", "28", "tier-prices-above-list"),
    ("004-right-sizing", "medium_at_rates"): ("49.02", "49", "tier-prices-above-list"),
    ("004-right-sizing", "large_at_rates"): ("95.74", "98", "tier-prices-above-list"),
    ("004-right-sizing", "total_at_rates"): ("1983.80", "2065", "tier-prices-above-list"),
    ("004-right-sizing", "saving_at_rates"): ("467.20", "386", "tier-prices-above-list"),
    ("004-migration-cost", "ongoing_5_tenants"): ("44.95", "60..70", "ongoing-increase-falls-with-scale"),
    ("004-migration-cost", "ongoing_100_tenants"): ("37.21", "60..70", "ongoing-increase-falls-with-scale"),
    ("004-summary-6.1", "production_1"): ("120.00", "118", "backup-line-left-out"),
    ("004-summary-6.1", "each_of_1"): ("120.17", "118.00", "backup-line-left-out"),
    ("004-tco-6.2", "fifth_of_operations_10"): ("19.34", "12..18", "operations-cut-saves-more"),
    ("004-tco-6.2", "leverage_10"): ("29.2", "5..10", "operations-weigh-more"),
    ("004-performance-addons", "read_replica_one_zone"): ("25.660", "49", "replica-priced-as-multi-az"),
    ("004-summary-10.1", "production_1"): ("120.00", "118", "backup-line-left-out"),
    ("004-summary-10.1", "each_of_1"): ("120.17", "118.00", "backup-line-left-out"),
    ("004-summary-10.1", "increase_1"): ("65.00", "63", "backup-line-left-out"),
    ("004-summary-10.1", "percent_1"): ("117.00", "114", "backup-line-left-out"),
    ("004-summary-10.1", "range_at_1"): ("117.00", "175..180", "range-holds-from-ten"),
    ("004-summary-10.1", "range_at_5"): ("169.00", "175..180", "range-holds-from-ten"),
    ("004-stage-budgets", "commitment_saving_percent_low"): ("20", "30", "tasks-save-less"),
    ("004-stage-budgets", "each_falls_percent"): ("51.6", "50", "half-is-a-round-number"),
    ("000-option-1", "total"): ("123.00", "93", "total-of-four-lines"),
    ("000-option-1", "buffer"): ("-23.00", "7", "total-of-four-lines"),
    ("000-option-2", "total"): ("94.00", "64", "total-of-four-lines"),
    ("000-option-2", "buffer"): ("6.00", "36", "total-of-four-lines"),
    ("000-architecture-comparison", "refined_buffer"): ("-23.00", "10", "refined-plan-over-budget"),
    ("000-architecture-comparison", "refined_total"): ("133.00", "100", "refined-plan-over-budget"),
    ("000-diagram-totals", "nat_gateway"): ("123.00", "93", "total-of-four-lines"),
    ("000-diagram-totals", "nat_instance"): ("94.00", "64", "total-of-four-lines"),
    ("000-diagram-totals", "buffer_low"): ("-23.00", "7", "total-of-four-lines"),
    ("000-diagram-totals", "buffer_high"): ("6.00", "36", "total-of-four-lines"),
    ("000-start-small", "saving"): ("12", "7", "smaller-database-saves-twelve"),
    ("000-start-small", "months_1_to_3_on_the_printed_base"): ("52", "57", "smaller-database-saves-twelve"),
    ("000-start-small", "months_1_to_3"): ("82.00", "57", "total-of-four-lines"),
    ("000-start-small", "from_month_4"): ("94.00", "64", "total-of-four-lines"),
    ("000-rds-reserved", "new_total"): ("87.00", "57", "total-of-four-lines"),
    ("000-final-64", "total"): ("94.00", "64", "total-of-four-lines"),
    ("000-final-64", "buffer"): ("6.00", "36", "total-of-four-lines"),
    ("000-lambda-scenarios", "low_compute_at_one_second"): ("31.25", "3.20", "one-second-was-a-tenth"),
    ("000-lambda-scenarios", "medium_compute_at_one_second"): ("62.50", "6.40", "one-second-was-a-tenth"),
    ("000-lambda-scenarios", "high_compute_at_one_second"): ("125.00", "12.80", "one-second-was-a-tenth"),
    ("000-api-gateway-scenarios", "low_websocket_at_list_rate"): ("0.50", "2.00", "websocket-above-its-rate"),
    ("000-api-gateway-scenarios", "medium_websocket_at_list_rate"): (
        "1.00",
        "5.00",
        "websocket-above-its-rate",
    ),
    ("000-api-gateway-scenarios", "high_websocket_at_list_rate"): (
        "2.00",
        "10.00",
        "websocket-above-its-rate",
    ),
    ("000-data-volume", "total_gb"): ("6.106", "6.5", "volume-rounded-up"),
    ("000-caching-savings", "api_after_high"): ("16.00", "15", "forty-percent-of-forty"),
    ("000-caching-savings", "saving_low"): ("37.00", "28", "caching-saves-more"),
    ("000-caching-savings", "saving_high"): ("48.00", "37", "caching-saves-more"),
    ("000-final-verdict", "medium_over_a_budget_of_100"): ("9.00", "0", "does-not-fit"),
    ("000-final-verdict", "high"): ("201.00", "150..200", "high-traffic-is-201"),
    ("000-final-verdict", "high_with_caching_best"): ("153.00", "100..120", "high-traffic-is-201"),
    ("000-final-verdict", "high_with_caching_least"): ("164.00", "100..120", "high-traffic-is-201"),
    ("000-recommended-1000", "total_high"): ("106.00", "96", "upper-end-not-added"),
    ("000-recommended-1000", "buffer_low"): ("-6.00", "4", "upper-end-not-added"),
    ("000-growth-path", "100_businesses"): ("94.00", "64", "total-of-four-lines"),
    ("000-growth-path", "1000_businesses_high"): ("106.00", "96", "upper-end-not-added"),
    ("000-budget-identity", "services"): ("94.00", "64", "total-of-four-lines"),
    ("000-budget-identity", "buffer"): ("6.00", "36", "total-of-four-lines"),
    ("001-exec", "1000_users_low"): ("250", "300", "thousand-users-stated-three-times"),
    ("001-exec", "1000_users_high"): ("400", "500", "thousand-users-stated-three-times"),
    ("001-cost-drivers", "nat_percent_at_50"): ("64.00", "70", "nat-share-too-high"),
    ("001-cost-drivers", "nat_percent_at_80"): ("56.00", "70", "nat-share-too-high"),
    ("001-options", "replace_saves_high"): ("38", "35", "best-case-missing"),
    ("001-year-1", "year_low"): ("1620", "2000", "phases-add-up-to-less"),
    ("001-year-1", "year_high"): ("2710", "3000", "phases-add-up-to-less"),
    ("002-mvp", "cloudwatch"): ("8.00", "7", "middle-rounded-down"),
    ("002-mvp", "ten_secrets_at_their_rate"): ("4.00", "1..2", "ten-secrets-cost-four"),
    ("002-1000-users", "fargate"): ("113.00", "110", "middle-rounded-down"),
    ("002-1000-users", "s3_cloudfront"): ("23.00", "22", "middle-rounded-down"),
    ("002-1000-users", "other_services_of_the_mvp"): ("45", "50", "other-services-grew"),
}

IDS = [
    "004-poc-1",
    "004-poc-5",
    "004-prod-1",
    "004-prod-5",
    "004-prod-10",
    "004-prod-25",
    "004-prod-50",
    "004-prod-100",
    "004-exec-summary",
    "004-poc-to-prod-1",
    "004-rds-reserved",
    "004-fargate-savings-plan",
    "004-right-sizing",
    "004-s3-lifecycle",
    "004-log-retention",
    "004-migration-cost",
    "004-summary-6.1",
    "004-tco-6.2",
    "004-dr-and-compliance",
    "004-performance-addons",
    "004-summary-10.1",
    "004-stage-budgets",
    "004-fargate-examples",
    "004-rds-classes",
    "000-option-1",
    "000-option-2",
    "000-architecture-comparison",
    "000-diagram-totals",
    "000-nat-comparison",
    "000-nat-path",
    "000-start-small",
    "000-rds-reserved",
    "000-final-64",
    "000-traffic-low",
    "000-traffic-medium",
    "000-traffic-high",
    "000-lambda-scenarios",
    "000-api-gateway-scenarios",
    "000-storage-expansion",
    "000-traffic-model",
    "000-data-volume",
    "000-upgrade-steps",
    "000-caching-savings",
    "000-final-verdict",
    "000-recommended-1000",
    "000-growth-path",
    "000-budget-identity",
    "001-exec",
    "001-cost-drivers",
    "001-options",
    "001-scale-up",
    "001-support-plans",
    "001-year-1",
    "001-billing-budget",
    "002-mvp",
    "002-1000-users",
    "003-free-tier",
    "003-growth",
]


def test_every_reference_table_is_there_once() -> None:
    assert sorted(result.id for result in tables()) == sorted(IDS)


def test_every_row_agrees_or_names_the_fault_that_explains_it() -> None:
    assert unexplained(tables()) == []


def test_the_exceptions_are_exactly_the_known_ones() -> None:
    found = {(result.id, row.name) for result in tables() for row in result.rows if row.exception}
    assert found == set(EXCEPTIONS)


@pytest.mark.parametrize(("table_id", "name"), list(EXCEPTIONS))
def test_an_exception_states_both_figures_and_the_reason(table_id: str, name: str) -> None:
    ours, stated, exception = EXCEPTIONS[table_id, name]
    row = table(table_id).row(name)
    assert (row.computed, row.stated, row.exception) == (Decimal(ours), stated, exception)
    assert row.difference
    assert len(row.reason) > 15


@pytest.mark.parametrize(
    ("table_id", "row", "usd"),
    [
        ("004-prod-5", "total", "357.63"),
        ("004-prod-100", "total", "5814.43"),
        ("004-prod-1", "total_as_printed", "118.27"),
        ("004-prod-10", "cloudwatch/2", "7.50"),
        ("004-right-sizing", "total", "2065.00"),
        ("004-right-sizing", "saving", "386.00"),
        ("004-right-sizing", "saving_year", "4632.00"),
        ("004-log-retention", "saving", "17.62"),
        ("004-tco-6.2", "total_100", "45814"),
        ("000-traffic-high", "total", "201"),
        ("000-nat-comparison", "saving", "29"),
        ("002-mvp", "total_of_the_middles", "115"),
    ],
)
def test_known_figures_come_out(table_id: str, row: str, usd: str) -> None:
    assert table(table_id).row(row).computed == Decimal(usd)


def test_itemised_tables_of_the_container_platform_rest_on_rates_alone() -> None:
    for result in tables():
        if result.id.startswith("004-p") and result.kind == "itemised":
            assert {row.basis for row in result.rows} == {"rates", "derived"}


def test_what_the_reference_only_asserts_is_not_shown_as_computed() -> None:
    row = table("003-free-tier").row("ses_emails_a_month")
    assert (row.computed, row.difference, row.basis) == (None, None, "asserted")
    assert table("004-summary-6.1").row("poc_100").basis == "flat"
    assert table("000-option-1").row("rds").basis == "flat"


def test_a_table_is_plain_data() -> None:
    row = table("004-prod-1").as_json()["rows"][-4]
    assert row["name"] == "total"
    assert (row["stated"], row["computed"], row["difference"]) == ("118.27", "120.17", "1.9")
    assert row["exception"] == "backup-line-left-out"


def test_an_unknown_table_or_row_is_missing() -> None:
    with pytest.raises(Missing, match="999-x"):
        table("999-x")
    with pytest.raises(Missing, match="no row 'gold'"):
        table("004-poc-1").row("gold")


def test_formulas_are_decimal_arithmetic_over_rows_and_functions() -> None:
    rows = {"a": Decimal("0.1"), "b": Decimal("0.2"), "gap": None}
    assert evaluate("a + b", rows, {}) == Decimal("0.3")
    assert evaluate("twice(a) * 1.15 - (b / 2)", rows, {"twice": lambda x: x * 2}) == Decimal("0.13")


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os')",
        "a.real",
        "(lambda: 1)()",
        "[1][0]",
        "a if b else 1",
        "f'{a}'",
        "a ** 2",
        "'text'",
        "'text' + 1",
        "True",
        "missing + 1",
        "gap + 1",
        "twice(x=1)",
        "1 +",
        "",
    ],
)
def test_nothing_but_arithmetic_is_a_formula(formula: str) -> None:
    rows = {"a": Decimal(1), "b": Decimal(2), "gap": None}
    with pytest.raises(Invalid, match="cannot be computed"):
        evaluate(formula, rows, {"twice": lambda x: x * 2})
