"""Estimates and bills as CSV, JSON and rows in the shape of FOCUS (FinOps' common billing columns)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from controlplane.domain.cost.estimate import Estimate, Line, line_json, plain
from controlplane.domain.money import cents

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS = ("tenant", "component", "subject", "quantity", "unit", "unit_price", "monthly_usd", "rule")

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


def to_csv(estimates: Iterable[tuple[str, Estimate]]) -> str:
    """A row a line; an unknown price is the word `unknown`, and text cannot become a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for tenant, estimate in estimates:
        for line in estimate.lines:
            writer.writerow([_safe(cell) for cell in _cells(tenant, line)])
    return out.getvalue()


def _cells(tenant: str, line: Line) -> tuple[str, ...]:
    price, usd = line.unit_price, line.monthly_usd
    shown_price = "unknown" if price is None else plain(price)
    shown_usd = "unknown" if usd is None else str(cents(usd))
    what = (tenant, line.component, line.subject, plain(line.quantity), line.unit)
    return (*what, shown_price, shown_usd, line.rule)


def _safe(cell: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; a negative number is one only for people."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()


def rows_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Any list of flat rows, as they are, with the columns of the first."""
    out = io.StringIO()
    columns = list(rows[0]) if rows else []
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe("" if row[c] is None else str(row[c])) for c in columns])
    return out.getvalue()


def to_json(estimates: Iterable[tuple[str, Estimate]]) -> str:
    """Money as text with two decimals, unknown as null."""
    items = [{"tenant": tenant, **estimate.as_json()} for tenant, estimate in estimates]
    return json.dumps({"items": items}, indent=2)


def focus_rows(
    tenant: str, estimate: Estimate, start: date, end: date, labels: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Estimated charges of one month; what an estimate cannot know is null. `end` is exclusive."""
    tags = {"tenant": tenant, **(labels or {})}
    return [_focus_row(line, estimate, start, end, tags) for line in estimate.lines]


def _focus_row(
    line: Line, estimate: Estimate, start: date, end: date, tags: Mapping[str, str]
) -> dict[str, Any]:
    service, category = _SERVICES.get(line.component, (line.component, "Other"))
    usd = None if line.monthly_usd is None else str(cents(line.monthly_usd))
    return {
        "BilledCost": None,  # an estimate is no bill
        "ListCost": usd,
        "ListUnitPrice": None if line.unit_price is None else plain(line.unit_price),
        "PricingQuantity": plain(line.quantity),
        "PricingUnit": line.unit,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeDescription": line.rule,
        "ChargePeriodStart": f"{start.isoformat()}T00:00:00Z",
        "ChargePeriodEnd": f"{end.isoformat()}T00:00:00Z",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "RegionId": estimate.region,
        "ServiceName": service,
        "ServiceCategory": category,
        "ResourceId": line.subject or None,
        "Tags": dict(tags),
        "x_Estimated": True,
        "x_PriceBook": estimate.book,
    }


def focus_actual(
    tenant: str, service: str, day: date, next_day: date, usd: Decimal, region: str | None = None
) -> dict[str, Any]:
    """A billed day of one tenant and service."""
    return {
        "BilledCost": plain(usd),
        "EffectiveCost": plain(usd),
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": f"{day.isoformat()}T00:00:00Z",
        "ChargePeriodEnd": f"{next_day.isoformat()}T00:00:00Z",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "RegionId": region,
        "ServiceName": service,
        "Tags": {"tenant": tenant},
        "x_Estimated": False,
    }


def estimate_table(estimate: Estimate) -> list[dict[str, Any]]:
    """The lines as flat rows for a terminal or a page."""
    return [line_json(line) for line in estimate.lines]
