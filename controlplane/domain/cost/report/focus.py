"""Rows as FOCUS 1.0 has them (the FinOps Foundation's common billing columns): its names, types and values.

Every row has all columns that FOCUS demands, and those of ours that it does not know begin with `x_`. What
we do not know is null, also where FOCUS wants a value: an estimate was never billed, and Cost Explorer's
answer names no account.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from controlplane.domain.cost.estimate import Estimate, Line, plain
from controlplane.domain.money import cents

DECIMAL, TEXT, TIME, PAIRS = "decimal", "string", "datetime", "json"
COLUMNS: Mapping[str, str] = {
    "BilledCost": DECIMAL,
    "BillingAccountId": TEXT,
    "BillingAccountName": TEXT,
    "BillingCurrency": TEXT,
    "BillingPeriodEnd": TIME,
    "BillingPeriodStart": TIME,
    "ChargeCategory": TEXT,
    "ChargeClass": TEXT,
    "ChargeDescription": TEXT,
    "ChargePeriodEnd": TIME,
    "ChargePeriodStart": TIME,
    "ContractedCost": DECIMAL,
    "EffectiveCost": DECIMAL,
    "InvoiceIssuerName": TEXT,
    "ListCost": DECIMAL,
    "ListUnitPrice": DECIMAL,
    "PricingCategory": TEXT,
    "PricingQuantity": DECIMAL,
    "PricingUnit": TEXT,
    "ProviderName": TEXT,
    "PublisherName": TEXT,
    "RegionId": TEXT,
    "ResourceId": TEXT,
    "ServiceCategory": TEXT,
    "ServiceName": TEXT,
    "Tags": PAIRS,
}
_SERVICES: Mapping[str, tuple[str, str]] = {
    "rds": ("Amazon Relational Database Service", "Databases"),
    "rds_backup": ("Amazon Relational Database Service", "Databases"),
    "rds_snapshot": ("Amazon Relational Database Service", "Databases"),
    "rds_replica": ("Amazon Relational Database Service", "Databases"),
    "rds_proxy": ("Amazon Relational Database Service", "Databases"),
    "fargate": ("AWS Fargate", "Compute"),
    "lambda": ("AWS Lambda", "Compute"),
    "alb": ("Elastic Load Balancing", "Networking"),
    "data_transfer": ("AWS Data Transfer", "Networking"),
    "s3": ("Amazon Simple Storage Service", "Storage"),
    "cloudwatch": ("Amazon CloudWatch", "Management and Governance"),
    "alarms": ("Amazon CloudWatch", "Management and Governance"),
    "secrets_manager": ("AWS Secrets Manager", "Security"),
    "route53": ("Amazon Route 53", "Networking"),
}
# What Cost Explorer calls a service begins or ends otherwise; the word that tells it apart is here.
_WORDS: Mapping[str, str] = {
    "Relational Database": "Databases",
    "DynamoDB": "Databases",
    "ElastiCache": "Databases",
    "Elastic Compute Cloud": "Compute",
    "Container Service": "Compute",
    "Lambda": "Compute",
    "Load Balancing": "Networking",
    "CloudFront": "Networking",
    "Virtual Private Cloud": "Networking",
    "Route 53": "Networking",
    "Simple Storage": "Storage",
    "CloudWatch": "Management and Governance",
    "CloudTrail": "Management and Governance",
    "Secrets Manager": "Security",
    "Key Management": "Security",
    "WAF": "Security",
    "GuardDuty": "Security",
}
_UNITS = {"hour": "Hours", "month": "Months", "GB-month": "GB-Months", "request": "Requests"}
_AWS = {
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "InvoiceIssuerName": "AWS",
    "ProviderName": "AWS",
    "PublisherName": "AWS",
}


def focus_rows(
    tenant: str, estimate: Estimate, start: date, end: date, labels: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Estimated charges of one month; `end` is exclusive."""
    period = {**_AWS, **_period("Billing", start, end), **_period("Charge", start, end)}
    tags = {"tenant": tenant, **(labels or {})}
    return [_estimated(line, estimate, {**period, "Tags": tags}) for line in estimate.lines]


def _estimated(line: Line, estimate: Estimate, common: Mapping[str, Any]) -> dict[str, Any]:
    service, category = _SERVICES.get(line.component, (line.component, "Other"))
    return _row(
        {
            **common,
            "ListCost": None if line.monthly_usd is None else str(cents(line.monthly_usd)),
            "ListUnitPrice": None if line.unit_price is None else plain(line.unit_price),
            "PricingCategory": "Standard",
            "PricingQuantity": plain(line.quantity),
            "PricingUnit": _UNITS.get(line.unit, line.unit),
            "ChargeDescription": line.rule,
            "RegionId": estimate.region,
            "ServiceName": service,
            "ServiceCategory": category,
            "ResourceId": line.subject or None,
            "x_Estimated": True,
            "x_PriceBook": estimate.book,
        }
    )


def focus_actual(
    tenant: str, service: str, day: date, usd: Decimal, account: str | None = None
) -> dict[str, Any]:
    """A billed day of one tenant and service: what was billed, not at which list price."""
    first = day.replace(day=1)
    billed = plain(usd)
    category = next((category for word, category in _WORDS.items() if word in service), "Other")
    return _row(
        {
            **_AWS,
            **_period("Billing", first, (first + timedelta(days=32)).replace(day=1)),
            **_period("Charge", day, day + timedelta(days=1)),
            "BilledCost": billed,
            "EffectiveCost": billed,
            "BillingAccountId": account,
            "ChargeDescription": f"{service} on {day.isoformat()}",
            "ServiceName": service,
            "ServiceCategory": category,
            "Tags": {"tenant": tenant},
            "x_Estimated": False,
        }
    )


def _period(of: str, start: date, end: date) -> dict[str, str]:
    times = {"Start": start, "End": end}
    return {f"{of}Period{name}": f"{day.isoformat()}T00:00:00Z" for name, day in times.items()}


def _row(known: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), **known}


def as_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """For a file of plain cells: pairs as JSON, and nothing where nothing is known."""
    return {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}
