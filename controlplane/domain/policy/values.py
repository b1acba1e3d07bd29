"""What rules look at and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from controlplane.domain.cost.gate import Finding, Level
from controlplane.domain.operation import Kind
from controlplane.domain.plan.summary import (
    Action,
    PlanSummary,
    ResourceChange,
    is_unknown,
    read_change,
    resource_changes,
)
from controlplane.domain.plan.values import mapping
from controlplane.domain.tenant import Environment, Size, Stage

INSTANCES = frozenset({"aws_db_instance", "aws_rds_cluster_instance"})
# What holds a database's storage: backups, encryption, snapshots and protection are decided there.
STORES = frozenset({"aws_db_instance", "aws_rds_cluster"})
ALL_SLOTS = "*"


class NotKnown:
    """A value that only the apply will tell. It equals nothing, so it is never taken for a safe one."""

    def __repr__(self) -> str:
        return "not known before apply"


NOT_KNOWN = NotKnown()


@dataclass(frozen=True)
class QuotaUse:
    name: str
    used: int
    adding: int
    limit: int | None  # None: AWS did not tell


@dataclass(frozen=True)
class Limits:
    """Thresholds of the rules; the server's configuration may set them."""

    retention_days: int = 7
    quota_percent: Decimal = Decimal(90)


@dataclass(frozen=True)
class Facts:
    """What a plan cannot tell by itself."""

    kind: Kind
    environment: Environment
    region: str
    stage: Stage | None = None  # None: a platform's plan
    size: Size | None = None
    tenant_uid: str = ""
    rightsizing_decision: str = ""
    regions: frozenset[str] = frozenset()  # of the catalog
    classes: frozenset[str] = frozenset()
    removable_slots: frozenset[str] = frozenset()  # this operation may remove them; "*": all
    quotas: tuple[QuotaUse, ...] = ()
    database_ports: frozenset[int] = frozenset({5432})

    @property
    def is_production(self) -> bool:
        return self.stage is Stage.PRODUCTION or self.environment is Environment.PRODUCTION

    def may_remove(self, slot: str) -> bool:
        """`destroy` may remove everything, a drill its copy; a finalised or rolled-back migration the
        slot that it leaves."""
        return self.kind in (Kind.DESTROY, Kind.DRILL) or bool({slot, ALL_SLOTS} & self.removable_slots)


@dataclass(frozen=True)
class Planned:
    """One resource change with its values."""

    change: ResourceChange
    before: Mapping[str, Any] = field(repr=False)
    after: Mapping[str, Any] = field(repr=False)
    unknown: Mapping[str, Any] = field(repr=False)

    @property
    def address(self) -> str:
        return self.change.address

    def value(self, attribute: str) -> Any:
        """What the attribute will be; NOT_KNOWN where only the apply tells."""
        return NOT_KNOWN if is_unknown(self.unknown, attribute) else self.after.get(attribute)


@dataclass(frozen=True)
class PolicyInput:
    """One plan to be judged. `plan` may be masked or not: no rule repeats a value that may be secret."""

    summary: PlanSummary
    plan: Mapping[str, Any] = field(repr=False)
    facts: Facts
    noted: tuple[Finding, ...] = ()  # findings made elsewhere, those of the cost gate
    limits: Limits = Limits()

    @cached_property
    def planned(self) -> tuple[Planned, ...]:
        found = []
        for entry in resource_changes(self.plan):
            sides = [mapping(entry["change"].get(side)) for side in ("before", "after", "after_unknown")]
            found.append(Planned(read_change(entry), *sides))
        return tuple(found)

    def removed(self) -> Iterator[Planned]:
        return (p for p in self.planned if p.change.removes)

    def coming(self, types: frozenset[str]) -> Iterator[Planned]:
        """What the apply makes, changes or takes over, of these types."""
        lasting = (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.NO_OP)
        return (
            p
            for p in self.planned
            if p.change.type in types and p.change.action in lasting and p.change.does_something
        )

    def staying(self, types: frozenset[str]) -> Iterator[Planned]:
        """The same without what this operation is to remove: what leaves need not be kept well."""
        return (p for p in self.coming(types) if not self.facts.may_remove(p.change.slot))


@dataclass(frozen=True)
class Breach:
    """One way in which a plan breaks a rule."""

    message: str
    address: str = ""
    way: str = ""  # what would be right
    at_most: Level = Level.FORBID  # a doubt is weaker than a certainty


@dataclass(frozen=True)
class Rule:
    name: str
    level: Level  # unless the server's configuration says otherwise
    why: str
    check: Callable[[PolicyInput], Iterator[Breach]]
    fixed: bool = False  # neither configuration nor an override softens it


@dataclass(frozen=True)
class Override:
    """A person's word against a rule, until it expires. It softens by one step and is shown with the plan."""

    rule: str
    person: str
    reason: str
    expires_at: datetime
    tenant_uid: str | None = None  # None: every tenant


@dataclass(frozen=True)
class Decision:
    needs_approval: bool
    refused: bool
    reasons: tuple[str, ...]  # of the refusal, else of the approval
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "needs_approval": self.needs_approval,
            "refused": self.refused,
            "reasons": list(self.reasons),
            "findings": [
                {"rule": f.rule, "level": f.level.value, "message": f.message, "evidence": dict(f.evidence)}
                for f in self.findings
            ],
        }
