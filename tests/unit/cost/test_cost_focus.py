"""Rows as FOCUS 1.0 has them: its columns, types and allowed values, and where we say that we do not know."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from controlplane.catalog.pricebook import load_book
from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.estimate import Estimate, Line
from controlplane.domain.cost.report import focus
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant

MODEL = load_model()
ACME = estimate_tenant(MODEL, load_book().rates("us-east-1"), TenantShape("small", "production"), "acme-e1")
DARK = Estimate((Line("rds", Decimal(730), "hour", None, None, "dark"),), "list", "eu-west-1")
MONTH = (date(2026, 1, 1), date(2026, 2, 1))

# From the specification, version 1.0: what every dataset has, its type, and whether it may be null.
MANDATORY: dict[str, tuple[str, bool]] = {
    "BilledCost": ("decimal", False),
    "BillingAccountId": ("string", False),
    "BillingAccountName": ("string", True),
    "BillingCurrency": ("string", False),
    "BillingPeriodEnd": ("datetime", False),
    "BillingPeriodStart": ("datetime", False),
    "ChargeCategory": ("string", False),
    "ChargeClass": ("string", True),
    "ChargeDescription": ("string", True),
    "ChargePeriodEnd": ("datetime", False),
    "ChargePeriodStart": ("datetime", False),
    "ContractedCost": ("decimal", False),
    "EffectiveCost": ("decimal", False),
    "InvoiceIssuerName": ("string", False),
    "ListCost": ("decimal", False),
    "PricingQuantity": ("decimal", True),
    "PricingUnit": ("string", True),
    "ProviderName": ("string", False),
    "PublisherName": ("string", False),
    "ServiceCategory": ("string", False),
    "ServiceName": ("string", False),
}
CONDITIONAL = {
    "ListUnitPrice": "decimal",
    "PricingCategory": "string",
    "RegionId": "string",
    "ResourceId": "string",
    "Tags": "json",
}
CATEGORIES = {
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Multicloud",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Networking",
    "Security",
    "Storage",
    "Web",
    "Other",
}
# Where we have nothing to say and FOCUS wants a value.
NEVER_BILLED = {"BilledCost", "EffectiveCost", "ContractedCost", "BillingAccountId"}
NO_LIST_PRICE = {"ListCost", "ContractedCost"}


def estimated() -> dict[str, Any]:
    return focus.focus_rows("acme", ACME, *MONTH, {"team": "red"})[0]


def billed(account: str | None = "123456789012") -> dict[str, Any]:
    usd, service = Decimal("1.2300"), "Amazon Relational Database Service"
    return focus.focus_actual("acme", service, date(2026, 1, 31), usd, account)


def problem(kind: str, value: Any) -> str:
    try:
        {
            "decimal": Decimal,
            "string": str.strip,
            "datetime": datetime.fromisoformat,
            "json": lambda pairs: json.dumps(dict(pairs)),
        }[kind](value)
    except (ArithmeticError, TypeError, ValueError) as error:
        return f"{value!r} is no {kind}: {error}"
    return ""


@pytest.mark.parametrize(
    ("row", "unknown"),
    [
        (estimated(), NEVER_BILLED),
        (billed(), NO_LIST_PRICE),
        (billed(None), {"BillingAccountId", *NO_LIST_PRICE}),
    ],
    ids=["estimate", "bill", "bill of an account that is not named"],
)
def test_every_row_has_all_columns_in_their_types_and_says_only_there_that_it_does_not_know(
    row: dict[str, Any], unknown: set[str]
) -> None:
    kinds = {**{name: kind for name, (kind, _) in MANDATORY.items()}, **CONDITIONAL}
    ours = {name for name in row if name.startswith("x_")}
    assert set(row) - ours == set(kinds) == set(focus.COLUMNS)
    assert dict(focus.COLUMNS) == kinds
    assert [
        problem(kinds[n], v) for n, v in row.items() if n in kinds and v is not None and problem(kinds[n], v)
    ] == []
    assert {
        name for name, (_, nullable) in MANDATORY.items() if row[name] is None and not nullable
    } == unknown


def test_values_that_focus_lists_are_of_its_lists() -> None:
    rows = [*focus.focus_rows("acme", ACME, *MONTH), billed()]
    assert {row["ServiceCategory"] for row in rows} <= CATEGORIES
    assert {row["ChargeCategory"] for row in rows} == {"Usage"}
    assert {row["PricingCategory"] for row in rows} == {"Standard", None}
    assert {category for _, category in focus._SERVICES.values()} | set(focus._WORDS.values()) <= CATEGORIES


def test_an_estimate_carries_price_quantity_period_and_tags() -> None:
    found = focus.focus_rows("acme", ACME, *MONTH, {"team": "red"})
    assert sum(Decimal(row["ListCost"]) for row in found) == ACME.total
    first = found[0]
    assert Decimal(first["ListUnitPrice"]) * Decimal(first["PricingQuantity"]) == Decimal(first["ListCost"])
    assert (first["ServiceCategory"], first["PricingUnit"]) == ("Databases", "Hours")
    assert (first["ChargePeriodStart"], first["BillingPeriodEnd"]) == (
        "2026-01-01T00:00:00Z",
        "2026-02-01T00:00:00Z",
    )
    assert first["Tags"] == {"tenant": "acme", "team": "red"}
    assert focus.focus_rows("d", DARK, *MONTH)[0]["ListCost"] is None


def test_a_billed_day_stands_in_the_billing_period_of_its_month() -> None:
    row = billed()
    assert (row["BilledCost"], row["Tags"]["tenant"], row["x_Estimated"]) == ("1.23", "acme", False)
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
        "2026-01-31T00:00:00Z",
        "2026-02-01T00:00:00Z",
    )
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        "2026-01-01T00:00:00Z",
        "2026-02-01T00:00:00Z",
    )


@pytest.mark.parametrize(
    ("service", "category"),
    [
        ("Amazon Relational Database Service", "Databases"),
        ("Amazon Elastic Compute Cloud - Compute", "Compute"),
        ("AmazonCloudWatch", "Management and Governance"),
        ("Amazon Braket", "Other"),
    ],
)
def test_services_of_the_bill_have_their_category(service: str, category: str) -> None:
    row = focus.focus_actual("acme", service, date(2026, 1, 1), Decimal(1))
    assert row["ServiceCategory"] == category


def test_in_a_file_of_cells_tags_are_json() -> None:
    assert json.loads(focus.as_cells(estimated())["Tags"]) == {"tenant": "acme", "team": "red"}
