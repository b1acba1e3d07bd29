"""NAT gateway, NAT instance or neither; and whether a database proxy is needed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from controlplane.domain.cost.estimate import check_numbers
from controlplane.domain.cost.model import CostModel
from controlplane.domain.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class NatNeeds:
    external_calls: bool = True  # anything private calls an API outside AWS
    production: bool = False
    gbps: Decimal = Decimal(0)
    budget_usd: Decimal | None = None
    can_operate: bool = True  # the team patches instances and accepts manual fail-over
    zero_maintenance: bool = False
    zones: int = 1
    month: int = 1  # since launch
    grew: bool = False


@dataclass(frozen=True, slots=True)
class NatChoice:
    kind: str  # gateway, instance, none
    count: int
    reason: str
    review: str = ""


def choose_nat(model: CostModel, needs: NatNeeds) -> NatChoice:
    check_numbers(gbps=needs.gbps, budget_usd=needs.budget_usd, zones=needs.zones, month=needs.month)
    facts = model.traffic
    if not needs.external_calls:
        return NatChoice("none", 0, "nothing calls outside AWS: endpoints do for AWS's own services")
    must = _gateway_reason(needs, facts.gateway_gbps)
    if must:
        return NatChoice("gateway", needs.zones, must)
    review = ""
    if needs.gbps >= facts.instance_gbps:
        review = f"between {facts.instance_gbps} and {facts.gateway_gbps} Gbit/s: review a larger instance"
    elif needs.month >= 7:
        review = "months 1 to 6 are over: look whether traffic grew"
    reason = "development or staging with little traffic, and a team that can run an instance"
    return NatChoice("instance", needs.zones, reason, review)


def _gateway_reason(needs: NatNeeds, gateway_gbps: Decimal) -> str:
    reasons = (
        (needs.production, "production needs fail-over without hands"),
        (needs.gbps > gateway_gbps, f"traffic stays above {gateway_gbps} Gbit/s"),
        (needs.zero_maintenance or not needs.can_operate, "nobody shall maintain an instance"),
        (needs.month >= 7 and needs.grew, "from month 7, traffic grew"),
        (needs.budget_usd is not None and needs.budget_usd >= 100, "the budget allows it"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def refuse_without_nat(external_calls: bool) -> None:
    """Removing NAT, or replacing it by endpoints, needs that nothing calls outside AWS."""
    if external_calls:
        message = "private resources call external APIs: without NAT they fail"
        raise Invalid(message, errors=[FieldError("nat", message)], hint="keep a NAT instance or gateway")


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    needed: bool
    mandatory: bool
    reason: str


def choose_proxy(model: CostModel, *, compute: str, concurrency: int, pool: int | None = None) -> ProxyChoice:
    """Functions always need the proxy; containers when their pools exceed what the database takes."""
    facts = model.traffic
    each = facts.pool_per_task if pool is None else pool
    check_numbers(concurrency=concurrency, pool=each)
    wanted = concurrency * each
    if compute == "lambda":
        if wanted > facts.proxy_connections:
            message = (
                f"{concurrency} executions × {each} connections exceed the proxy's {facts.proxy_connections}"
            )
            raise Invalid(
                message, errors=[FieldError("pool", message)], hint="1 or 2 connections an execution"
            )
        return ProxyChoice(True, True, "functions reach a database only through a proxy")
    if wanted > facts.database_connections:
        reason = (
            f"{concurrency} tasks × {each} connections exceed the database's {facts.database_connections}"
        )
        return ProxyChoice(True, False, reason)
    return ProxyChoice(False, False, "the database takes all connections")
