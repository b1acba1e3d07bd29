"""The cost of a Terraform plan, before and after, from `terraform show -json`.

A resource type is priced here, or named in the catalog as free or billed by use; any other is unknown,
which makes the total unknown and closes the gate until somebody says what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

from controlplane.domain.cost import components
from controlplane.domain.cost.book import Rates
from controlplane.domain.cost.components import Database
from controlplane.domain.cost.estimate import HOURS, ZERO, Estimate, Line, charge
from controlplane.domain.cost.gate import CostChange
from controlplane.domain.cost.model import CostModel
from controlplane.domain.errors import FieldError, Invalid

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Context:
    model: CostModel
    rates: Rates
    tasks: Mapping[str, Values]  # task definitions by family


def estimate_plan(model: CostModel, rates: Rates, plan: Mapping[str, Any]) -> CostChange:
    """Every managed resource that the plan knows, changed or not."""
    changes = plan.get("resource_changes")
    if not isinstance(changes, Sequence):
        message = "this is no plan: resource_changes is missing"
        raise Invalid(message, errors=[FieldError("plan", message)])
    managed = [c for c in changes if c.get("mode", "managed") == "managed"]
    before = [(c, c["change"].get("before")) for c in managed]
    after = [(c, _after(c["change"])) for c in managed]
    return CostChange(_estimate(model, rates, before), _estimate(model, rates, after))


def _after(change: Mapping[str, Any]) -> Values | None:
    """A forgotten resource goes on costing what it costs."""
    if "forget" in change.get("actions", ()):
        return change.get("before")
    return change.get("after")


def _estimate(
    model: CostModel, rates: Rates, resources: Sequence[tuple[Mapping[str, Any], Values | None]]
) -> Estimate:
    present = [(c, values) for c, values in resources if values is not None]
    tasks = {
        str(values.get("family")): values for c, values in present if c["type"] == "aws_ecs_task_definition"
    }
    context = _Context(model, rates, tasks)
    lines = [line for c, values in present for line in _resource(context, c, values)]
    return Estimate(tuple(lines), rates.book, rates.region)


def _resource(context: _Context, change: Mapping[str, Any], values: Values) -> list[Line]:
    kind, address = change["type"], change["address"]
    rule = _PRICED.get(kind)
    if rule is not None:
        return [replace(line, subject=address) for line in rule(context, values)]
    for how, patterns in context.model.resources.items():
        if any(fnmatchcase(kind, pattern) for pattern in patterns):
            return [] if how == "free" else [Line(kind, ZERO, "use", ZERO, ZERO, "billed by use", address)]
    return [Line(kind, Decimal(1), "resource", None, None, "no rule prices this resource type", address)]


def _database(context: _Context, values: Values) -> list[Line]:
    instance_class = values.get("instance_class")
    storage = values.get("allocated_storage")
    if instance_class is None or storage is None:
        return [_unknown("rds", "class or storage is known only after the apply")]
    if values.get("storage_type") not in (None, "gp3"):
        return [_unknown("rds", f"no price for {values['storage_type']} storage")]
    production = int(values.get("backup_retention_period") or 0) >= 7
    stage = "production" if production else "poc"
    shape = Database(instance_class, bool(values.get("multi_az")), int(storage), stage=stage)
    lines = components.database(context.rates, shape)
    if not values.get("replicate_source_db"):
        gb = context.model.tenant.billed_backup_gb[stage]
        lines += components.backup(context.rates, Decimal(gb))
    if values.get("performance_insights_enabled"):
        days = int(values.get("performance_insights_retention_period") or context.model.free.insights_days)
        lines += components.insights(context.rates, context.model.free, _vcpus(context, instance_class), days)
    return lines


def _vcpus(context: _Context, instance_class: str) -> int:
    for facts in context.model.sizes.values():
        if facts.instance_class == instance_class:
            return facts.vcpu
    return 2  # the least that any class of RDS for PostgreSQL has


def _unknown(component: str, why: str) -> Line:
    return Line(component, Decimal(1), "resource", None, None, why)


def _service(context: _Context, values: Values) -> list[Line]:
    """A Fargate service: its desired tasks × the task definition that stands in the same plan."""
    reference = str(values.get("task_definition") or "")
    definition = context.tasks.get(reference.rpartition("/")[2].partition(":")[0])
    if definition is None and len(context.tasks) == 1:
        definition = next(iter(context.tasks.values()))
    count, cpu = values.get("desired_count"), (definition or {}).get("cpu")
    memory = (definition or {}).get("memory")
    if count is None or cpu is None or memory is None:
        return [_unknown("fargate", "tasks, vCPU or memory are not in the plan")]
    return components.fargate(context.rates, int(count), Decimal(cpu) / 1024, Decimal(memory) / 1024)


def _instance(context: _Context, values: Values) -> list[Line]:
    kind = values.get("instance_type")
    return [charge("ec2", Decimal(1), "month", context.rates[f"ec2.{kind}"], f"instance {kind}")]


def _endpoint(context: _Context, values: Values) -> list[Line]:
    if values.get("vpc_endpoint_type") in (None, "Gateway"):
        return []
    zones = len(values.get("subnet_ids") or ()) or 1
    return _hourly("vpc.endpoint", "vpc_endpoint", zones)(context, values)


def _snapshot(context: _Context, values: Values) -> list[Line]:
    size = values.get("allocated_storage")
    if size is None:
        return [_unknown("rds_snapshot", "its size is known only after the apply")]
    return components.snapshots(context.rates, Decimal(size))


def _hourly(key: str, component: str, count: int = 1) -> Callable[[_Context, Values], list[Line]]:
    def rule(context: _Context, values: Values) -> list[Line]:  # noqa: ARG001
        return [charge(component, count * HOURS, "hour", context.rates[key], "730 h a month")]

    return rule


def _monthly(key: str, component: str, what: str) -> Callable[[_Context, Values], list[Line]]:
    def rule(context: _Context, values: Values) -> list[Line]:  # noqa: ARG001
        return [charge(component, Decimal(1), "month", context.rates[key], what)]

    return rule


def _proxy(context: _Context, values: Values) -> list[Line]:  # noqa: ARG001
    return components.proxy(context.rates, 2)


_PRICED: Mapping[str, Callable[[_Context, Values], list[Line]]] = {
    "aws_db_instance": _database,
    "aws_db_proxy": _proxy,
    "aws_db_snapshot": _snapshot,
    "aws_ecs_service": _service,
    "aws_instance": _instance,
    "aws_vpc_endpoint": _endpoint,
    "aws_lb": _hourly("alb", "alb"),
    "aws_alb": _hourly("alb", "alb"),
    "aws_eip": _hourly("vpc.public_ipv4", "public_ipv4"),
    "aws_nat_gateway": _monthly("nat.gateway", "nat_gateway", "NAT gateway of one zone"),
    "aws_secretsmanager_secret": _monthly("secrets.secret", "secrets_manager", "secret"),
    "aws_cloudwatch_metric_alarm": _monthly("cloudwatch.alarm", "alarms", "alarm"),
    "aws_cloudwatch_dashboard": _monthly("cloudwatch.dashboard", "cloudwatch", "dashboard"),
    "aws_route53_zone": _monthly("dns.zone", "route53", "hosted zone"),
    "aws_kms_key": _monthly("kms.key", "kms", "customer managed key"),
    "aws_wafv2_web_acl": _monthly("waf", "waf", "web ACL with its rules"),
}


def priced_types() -> tuple[str, ...]:
    return tuple(_PRICED)
