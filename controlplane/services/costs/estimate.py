"""Estimates of anything: a tenant that is there, one that is described, a plan, a whole blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from controlplane.catalog.costing import Pricer
from controlplane.domain.cost import forecast
from controlplane.domain.cost.estimate import Estimate
from controlplane.domain.cost.gate import band_of, tiers_for
from controlplane.domain.cost.options import add_options
from controlplane.domain.cost.planjson import estimate_plan
from controlplane.domain.cost.report.focus import focus_rows
from controlplane.domain.cost.tenant import TenantShape, estimate_tenant
from controlplane.domain.errors import FieldError, Invalid, Missing
from controlplane.domain.money import cents
from controlplane.domain.names import parse_slug
from controlplane.domain.tenant import default_size
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.costs import asked, book
from controlplane.services.costs.book import usd
from controlplane.store.costs import fleet

_SHAPE = (
    "storage_gb", "multi_az", "running", "backup_gb", "snapshot_gb", "log_gb", "log_months", "insights_days",
    "alarms", "secrets", "proxy", "replicas",
)  # fmt: skip


def estimate(control: Control, actor: Actor, wanted: asked.Estimate) -> dict[str, Any]:
    """Lines and total, by the book in force; unknown where a price is."""
    actor.require(Action.READ_FLEET)
    asked.check_currency(wanted.currency)
    _check_one(wanted)
    by = book.in_force(control)
    if wanted.plan is not None:
        return _of_plan(by, book.check_region(control, by.book, wanted.region), wanted.plan)
    if wanted.tenant:
        found, more, name = _of_tenant(control, actor, by, wanted.tenant)
    elif wanted.blueprint:
        found, more, name = _of_blueprint(control, by, wanted)
    else:
        found, more, name = _of_shape(control, by, wanted)
    view = {**more, **_view(by, found)}
    if wanted.focus:
        view["focus"] = focus_rows(name, found, *_month(book.today(control)))
    return view


# Which fields each kind of question reads besides its own; any other that was said would be lost.
_EVERYWHERE = frozenset({"currency", "focus"})
_READS = {
    "tenant": frozenset({"tenant"}),
    "plan": frozenset({"plan", "region"}),
    "blueprint": frozenset(
        {"blueprint", "environment", "stage", "region", "tenants", "mix", "options", "high"}
    ),
    "": frozenset(
        {"stage", "size", "instance_class", "locations", "users", "region", "options", "high", *_SHAPE}
    ),
}


def _check_one(wanted: asked.Estimate) -> None:
    """One question at a time, and nothing said that it does not read."""
    fields = type(wanted).model_fields
    default = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    said = {name for name in fields if getattr(wanted, name) != default[name]}
    kind = next((name for name in ("tenant", "plan", "blueprint") if name in said), "")
    lost = sorted(said - _READS[kind] - _EVERYWHERE)
    if lost:
        message = f"{', '.join(lost)} cannot be said for an estimate of a {kind or 'described tenant'}"
        raise Invalid(message, errors=[FieldError(name, message) for name in lost])


def _view(by: Pricer, found: Estimate) -> dict[str, Any]:
    return {**found.as_json(), "price_book": book.about(by.book), **_note(by, found)}


def _note(by: Pricer, found: Estimate) -> dict[str, str]:
    if by.knows(found.region):
        return {}
    return {"note": f"the price book has no prices for {found.region}: take a refreshed one that has them"}


def _month(day: date) -> tuple[date, date]:
    """The month of a day, its end exclusive."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


# --- tenants ----------------------------------------------------------------------------------------


def _of_tenant(control: Control, actor: Actor, by: Pricer, slug: str) -> tuple[Estimate, dict[str, Any], str]:
    actor.require(Action.READ_TENANT, parse_slug(slug, "tenant"))
    with control.db.read() as session:
        found = fleet.tenants(session, slug)
    if not found:
        raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
    tenant = found[0]
    estimate = of_row(by, tenant)
    more = {"what": "tenant", "subject": slug, "stage": tenant.stage, "size": tenant.size}
    return estimate, more | band(by, f"{tenant.stage}-{tenant.size}", estimate), slug


def of_row(by: Pricer, tenant: fleet.CostTenant) -> Estimate:
    """What a tenant's workspace costs as it is; nothing where nothing is there."""
    if tenant.is_there and tenant.is_schema:
        return by.estimate_schema(tenant.region)
    slots = tenant.slots if tenant.is_there else ()
    return by.estimate(slots, tenant.stage, tenant.region, running=tenant.is_running)


def _of_shape(control: Control, by: Pricer, wanted: asked.Estimate) -> tuple[Estimate, dict[str, Any], str]:
    size = _size(by, wanted)
    region = book.check_region(control, by.book, wanted.region)
    given = {name: getattr(wanted, name) for name in _SHAPE}
    shape = TenantShape(size=size, stage=wanted.stage.value, **given)
    rates = by.rates(region)
    own = estimate_tenant(by.model, rates, shape)
    whole = add_options(by.model, rates, own, wanted.options, {"databases": 1}, high=wanted.high)
    more = {"what": "spec", "subject": "", "stage": wanted.stage.value, "size": size}
    return whole, more | band(by, f"{wanted.stage.value}-{size}", own), ""


def _size(by: Pricer, wanted: asked.Estimate) -> str:
    if wanted.instance_class:
        if wanted.size is not None:
            message = "size and instance_class exclude each other"
            raise Invalid(message, errors=[FieldError("instance_class", message)])
        return by.model.size_of_class(wanted.instance_class)
    return (wanted.size or default_size(wanted.stage, wanted.locations, wanted.users)).value


def band(by: Pricer, tier: str, estimate: Estimate) -> dict[str, Any]:
    """The cost tier with its floor and ceiling, and which tiers this cost belongs to."""
    floor, ceiling = band_of(by.model, tier)
    total = estimate.total
    fitting = [] if total is None else tiers_for(by.model, tier.partition("-")[0], total)
    bounds = {"floor_usd": usd(floor), "ceiling_usd": usd(ceiling)}
    holds = None if total is None else tier in fitting
    return {"tier": {"name": tier, **bounds, "holds": holds, "fitting": fitting}}


# --- a whole blueprint ------------------------------------------------------------------------------


def _of_blueprint(
    control: Control, by: Pricer, wanted: asked.Estimate
) -> tuple[Estimate, dict[str, Any], str]:
    region = book.check_region(control, by.book, wanted.region)
    stage = _stage(wanted)
    scenario = forecast.Scenario(
        wanted.blueprint, stage, asked.parse_mix(wanted.mix), tuple(wanted.options), wanted.high
    )
    estimate = forecast.what_if(by.model, by.rates(region), wanted.tenants, scenario)
    total = estimate.total
    each = None if total is None or not wanted.tenants else cents(total / wanted.tenants)
    share = estimate.share("rds")
    more = {
        "what": "blueprint",
        "subject": wanted.blueprint,
        "stage": stage,
        "tenants": wanted.tenants,
        "per_tenant_usd": usd(each),
        "database_percent": None if share is None else str(share),
    }
    return estimate, more, ""


def _stage(wanted: asked.Estimate) -> str:
    return (wanted.stage if wanted.environment is None else wanted.environment.stage).value


# --- a plan -----------------------------------------------------------------------------------------


def _of_plan(by: Pricer, region: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    try:
        change = estimate_plan(by.model, by.rates(region), plan)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        message = f"this is no plan as `terraform show -json` writes it ({type(error).__name__}: {error})"
        raise Invalid(message, errors=[FieldError("plan", message)]) from error
    found: dict[str, Any] = {"what": "plan", "subject": "", **_view(by, change.after)}
    return found | {"change": change.as_json()}
