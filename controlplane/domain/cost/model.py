"""Every fact of the cost rules that is not a price. The catalog fills it from data; rules only read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from controlplane.domain.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class SizeFacts:
    instance_class: str
    vcpu: int
    memory_gb: Decimal


@dataclass(frozen=True, slots=True)
class TenantPlan:
    """What a tenant's own workspace is planned with when nothing better is known."""

    secrets_per_slot: int
    secrets_per_tenant: int
    alarms_per_slot: int
    billed_backup_gb: Mapping[str, int]  # by stage, beyond the free allowance
    multi_az: Mapping[str, bool]  # by stage


@dataclass(frozen=True, slots=True)
class Free:
    """Monthly allowances of an account."""

    metrics: int
    alarms: int
    transfer_gb: int
    insights_days: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The quantities of a platform with a database per tenant, by number of tenants."""

    stage: str
    size: str
    storage_gb: int
    task_vcpu: Decimal
    task_memory_gb: Decimal
    tenants: tuple[int, ...]  # upper ends of the bands that the stepped rows below are for
    tasks: tuple[int, ...]
    tasks_most: tuple[int, ...]
    lcu: tuple[Decimal, ...]
    metrics: tuple[int, ...]
    alarms: tuple[int, ...]
    dashboards: tuple[int, ...]
    s3_gb: int  # this and the following are per tenant
    s3_requests: int
    log_gb: Decimal
    log_gb_least: Decimal
    secrets_base: int
    dns_queries: int
    backup_gb: int
    transfer_gb: int
    transfer_gb_least: int

    @property
    def cell(self) -> int:
        """Tenants that one platform serves; the next one opens another."""
        return self.tenants[-1]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of data: quantity × price, optionally growing with tenants or zones."""

    component: str
    key: str
    quantity: Decimal
    rule: str
    per_tenant: Decimal = Decimal(0)
    hours: bool = False  # the price is per hour, the quantity runs the whole month
    basis: str = ""  # multiplies: databases, zones, transfer_gb


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be put on top of a platform, with the rule that says when."""

    title: str
    rule: str
    items: tuple[Item, ...] = ()
    items_high: tuple[Item, ...] = ()  # where the reference gives a range; empty: the same as `items`
    uplift_percent: Decimal = Decimal(0)  # of everything that stands before it
    excludes: tuple[str, ...] = ()
    support: str = ""  # a support plan by name


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota, and how much of it one tenant takes."""

    name: str
    limit: Decimal
    per_tenant: Decimal
    action: str
    reserve: int = 0  # kept free for running migrations


@dataclass(frozen=True, slots=True)
class Milestone:
    """A number of tenants from which something is due."""

    tenants: int
    what: str
    action: str


@dataclass(frozen=True, slots=True)
class Term:
    """A commitment on offer; discounts in percent off on demand."""

    product: str  # rds or fargate
    years: int
    upfront: str  # none, all
    discount_low: Decimal
    discount_high: Decimal


@dataclass(frozen=True, slots=True)
class Spend:
    """An expected monthly range for a range of users or businesses."""

    name: str
    least: int
    low: Decimal
    high: Decimal
    months: int = 0
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SupportPlan:
    name: str
    customers: int
    revenue: Decimal  # monthly recurring
    key: str  # of its least price; empty: free
    percent: Decimal
    answer: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """Why a service's bill jumps, and what helps at once."""

    service: str  # a part of the name in the bill, lower case
    culprit: str
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What decides between NAT gateway, NAT instance and proxy."""

    instance_gbps: Decimal
    gateway_gbps: Decimal
    instance_budget_usd: Decimal
    peak: Decimal
    pool_per_task: int
    database_connections: int
    proxy_connections: int


@dataclass(frozen=True, slots=True)
class Gate:
    approve_usd: Decimal
    approve_percent: Decimal


@dataclass(frozen=True)
class CostModel:
    sizes: Mapping[str, SizeFacts]
    tenant: TenantPlan
    free: Free
    profiles: Mapping[str, Mapping[str, Profile]]  # blueprint, then stage
    plans: Mapping[str, tuple[Item, ...]]  # blueprints without a database per tenant
    options: Mapping[str, Option]
    bands: Mapping[str, tuple[Decimal, Decimal]]  # cost tier: floor, ceiling
    gate: Gate
    limits: tuple[Limit, ...]
    milestones: tuple[Milestone, ...]
    terms: tuple[Term, ...]
    operations: Mapping[int, Decimal]  # tenants: monthly cost of running them
    phases: tuple[Spend, ...]  # the first year, by users
    growth: Mapping[str, tuple[Spend, ...]]  # by users, by businesses
    support: tuple[SupportPlan, ...]
    suspects: tuple[Suspect, ...]
    traffic: Traffic
    budget_usd: Decimal
    budget_percents: tuple[int, ...]
    resources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # Terraform types: free, usage

    def size(self, name: str) -> SizeFacts:
        if name not in self.sizes:
            raise Invalid(
                f"there is no size {name!r}; sizes are {', '.join(self.sizes)}",
                errors=[FieldError("size", f"unknown: {name!r}")],
            )
        return self.sizes[name]

    def size_of_class(self, instance_class: str) -> str:
        """The size that this class is; a class outside the ladder is refused."""
        for name, facts in self.sizes.items():
            if facts.instance_class == instance_class:
                return name
        known = ", ".join(f.instance_class for f in self.sizes.values())
        raise Invalid(
            f"the class {instance_class!r} is not on the ladder: {known}",
            errors=[FieldError("instance_class", f"unknown: {instance_class!r}")],
        )

    def profile(self, blueprint: str, stage: str) -> Profile:
        found = self.profiles.get(blueprint, {}).get(stage)
        if found is None:
            known = ", ".join(f"{b}/{s}" for b, stages in self.profiles.items() for s in stages)
            raise Invalid(
                f"no quantities are known for {blueprint!r} as {stage!r}; known: {known}",
                errors=[FieldError("blueprint", f"no quantities for {blueprint!r} as {stage!r}")],
            )
        return found

    def option(self, name: str) -> Option:
        if name not in self.options:
            raise Invalid(
                f"there is no option {name!r}; options are {', '.join(self.options)}",
                errors=[FieldError("options", f"unknown: {name!r}")],
            )
        return self.options[name]
