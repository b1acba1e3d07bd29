"""What doors may ask about cost. Unknown fields are refused; a number that cannot be is named."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.tenant import Environment, Size, Stage
from controlplane.operations.types import Request

Count = Annotated[int, Field(ge=0, le=10_000)]
Some = Annotated[int, Field(ge=1, le=10_000)]
Word = Annotated[str, Field(max_length=100)]
Amount = Annotated[Decimal, Field(ge=0, le=1_000_000_000, max_digits=18, decimal_places=6)]
Gigabytes = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=3)]
Options = Annotated[list[Word], Field(max_length=20)]
Rule = Literal["even", "weight", "usage"]
Scope = Literal["fleet", "poc", "production"]

_LADDER = tuple(size.value for size in Size)


class Estimate(Request):
    """One of: `tenant`, `plan`, `blueprint`; else a tenant as described by the other fields."""

    tenant: Annotated[Word, Field(description="A tenant that is there.")] = ""
    plan: Annotated[dict[str, Any] | None, Field(description="terraform show -json of a plan.")] = None
    blueprint: Annotated[Word, Field(description="A whole platform at a scale.")] = ""
    environment: Environment | None = None
    tenants: Count = 1
    mix: Annotated[Word, Field(description="Percent by size, as 60/30/10 or micro=60,small=40.")] = ""
    options: Options = Field(default_factory=list, description="As nat_gateway, waf, multi_region.")
    high: Annotated[bool, Field(description="The upper end where prices are a range.")] = False
    stage: Stage = Stage.POC
    size: Size | None = None
    instance_class: Word = ""
    locations: Annotated[int, Field(ge=1, le=100_000)] = 1
    users: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    region: Word = ""
    storage_gb: Annotated[int, Field(ge=20, le=65_536)] = 20
    multi_az: bool | None = None
    running: bool = True
    backup_gb: Gigabytes | None = None
    snapshot_gb: Gigabytes = Decimal(0)
    log_gb: Gigabytes = Decimal(0)
    log_months: Gigabytes = Decimal(0)
    insights_days: Annotated[int, Field(ge=0, le=731)] = 7
    alarms: Count | None = None
    secrets: Count | None = None
    proxy: bool = False
    replicas: Annotated[int, Field(ge=0, le=15)] = 0
    currency: Word = "USD"
    focus: Annotated[bool, Field(description="Rows in the shape of FOCUS too.")] = False


class Fleet(Request):
    by: Annotated[Word, Field(description="stage, size, region, cell, blueprint, tier or label:KEY.")] = (
        "stage"
    )
    days: Annotated[int, Field(ge=0, le=3660, description="Of history.")] = 90
    chart: Annotated[bool, Field(description="A picture too, as SVG.")] = False


class Forecast(Request):
    tenants: Annotated[Some, Field(description="So many tenants, or where the growth ends.")]
    start: Annotated[Some | None, Field(description="So many tenants to begin with.")] = None
    growth: Annotated[Word, Field(description="A month: 10 (tenants), 5% or both as 10+5%.")] = ""
    months: Annotated[int, Field(ge=1, le=120)] = 36
    mix: Annotated[Word, Field(description="Percent by size, as 60/30/10 or micro=60,small=40.")] = ""
    stage: Stage = Stage.PRODUCTION
    blueprint: Word = "fargate_db_per_tenant"
    region: Word = ""
    option: Options = Field(default_factory=list, description="As nat_gateway, waf, multi_region.")
    high: bool = False
    chart: Annotated[bool, Field(description="A picture too, as SVG.")] = False


class Tables(Request):
    table: Annotated[Word, Field(description="One table by its id.")] = ""


class Actuals(Request):
    days: Annotated[int, Field(ge=1, le=30)] = 30
    focus: Annotated[bool, Field(description="Rows in the shape of FOCUS too.")] = False


class Prices(Request):
    region: Word = ""
    q: Annotated[Word, Field(description="What the key begins with.")] = ""


class OfTenant(Request):
    split: Annotated[Rule, Field(description="How the shared cost is split.")] = "even"
    days: Annotated[int, Field(ge=0, le=3660, description="Of history.")] = 30


class Refreshing(Request):
    """Without `accept` nothing is taken; `digest` takes the very book that was shown."""

    accept: bool = False
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]*$", max_length=64)] = ""
    regions: list[Word] = Field(default_factory=list, max_length=30)


class NewBudget(Request):
    """`monthly_usd` null takes the budget away."""

    scope: Scope = "fleet"
    monthly_usd: Amount | None
    currency: Word = "USD"


def check_currency(text: str) -> None:
    if text != "USD":
        message = f"only USD is understood, not {text!r}"
        raise Invalid(message, errors=[FieldError("currency", message)])


def parse_mix(text: str) -> dict[str, Decimal | int] | None:
    """`60/30/10` from the smallest size on, or `micro=60,small=40`; None for nothing."""
    if not text:
        return None
    named = "=" in text
    parts = [part.strip() for part in text.split("," if named else "/")]
    pairs = [part.partition("=")[::2] for part in parts] if named else list(zip(_LADDER, parts, strict=False))
    found = {name.strip(): percent.strip() for name, percent in pairs}
    good = len(found) == len(parts) and all(
        name in _LADDER and percent.isdecimal() for name, percent in found.items()
    )
    if not good or sum(int(percent) for percent in found.values()) != 100:
        message = (
            f"{text!r} is no mix: say whole percents that add up to 100, as 60/30/10 or micro=60,small=40"
        )
        raise Invalid(message, errors=[FieldError("mix", message)])
    return {name: int(percent) for name, percent in found.items() if int(percent)}


def parse_growth(text: str) -> tuple[int, Decimal]:
    """`10`, `5%` or `10+5%`: tenants, and percent, more each month."""
    tenants, percent = 0, Decimal(0)
    for part in text.split("+"):
        number = part.strip().removesuffix("%")
        if not number.replace(".", "", 1).isdecimal() or len(number) > 6:
            raise _no_growth(text)
        if part.strip().endswith("%"):
            percent += Decimal(number)
        elif number.isdecimal():
            tenants += int(number)
        else:
            raise _no_growth(text)
    return tenants, percent


def _no_growth(text: str) -> Invalid:
    message = f"{text!r} is no growth: say tenants or percent a month, as 10, 5% or 10+5%"
    return Invalid(message, errors=[FieldError("growth", message)])
