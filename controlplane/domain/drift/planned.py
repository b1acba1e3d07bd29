"""What a plan found that nobody asked for. The fast look compares databases; this names everything else that
stands around them, and what Terraform would do about it.
"""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.domain.drift.values import Difference, Severity
from controlplane.domain.plan.summary import Action, PlanSummary, ResourceChange

BY_PLAN = "plan"  # in place of a situation: who found it

# What the fast look compares itself, in Terraform's words: it is not said twice.
_COMPARED = frozenset(
    {
        "allocated_storage", "backup_retention_period", "deletion_protection", "engine_version",
        "engine_version_actual", "instance_class", "max_allocated_storage", "multi_az",
        "parameter_group_name", "publicly_accessible", "tags", "tags_all",
    }
)  # fmt: skip
# RDS does these by itself, and they do no harm.
_PASSING = frozenset({"ca_cert_identifier", "latest_restorable_time", "status", "maintenance_window"})
_REACH = ("aws_security_group", "aws_vpc_security_group_", "aws_network_acl", "aws_route")
_SECRETS = ("aws_secretsmanager_secret", "aws_iam_", "aws_kms_")


def differences(plan: PlanSummary, slug: str) -> list[Difference]:
    """Everything that applying this plan would change, the worst first."""
    found = [difference for change in plan.changes for difference in _of(change, slug)]
    order = list(Severity)
    return sorted(found, key=lambda one: (-order.index(one.severity), one.attribute))


def _of(change: ResourceChange, slug: str) -> Iterator[Difference]:
    if change.action in (Action.READ, Action.FORGET):
        return
    if change.action is Action.UPDATE:
        yield from _updated(change, slug)
    elif change.removes:
        yield _removed(change)
    elif change.action is Action.CREATE:
        yield _missing(change, slug)


def _updated(change: ResourceChange, slug: str) -> Iterator[Difference]:
    attributes = set(change.changed)
    if change.is_database:
        attributes -= _COMPARED
    elif attributes <= {"tags", "tags_all"}:
        yield _mended(change, Severity.BENIGN, attributes, "its tags were changed", slug)
        return
    if not attributes:
        return
    if attributes <= _PASSING:
        yield _mended(change, Severity.BENIGN, attributes, "AWS changed it by itself", slug)
    elif change.type.startswith(_REACH):
        words = "who may reach the database was changed outside"
        yield _mended(change, Severity.DANGEROUS, attributes, words, slug)
    else:
        yield _mended(change, Severity.REAL, attributes, "it was changed outside", slug)


def _removed(change: ResourceChange) -> Difference:
    replaces = change.action is Action.REPLACE
    severe = change.is_database or change.type.startswith(_SECRETS)
    words = "Terraform would replace it" if replaces else "Terraform would delete it"
    if change.replace_paths:
        words += f", for its {', '.join(change.replace_paths)}"
    found = "another" if replaces else "there"
    step = "do not apply: find out who changed it" if severe else "look at the plan of `tenant reconcile`"
    severity = Severity.DANGEROUS if severe else Severity.REAL
    return Difference(change.address, severity, "as rendered", found, words, step)


def _missing(change: ResourceChange, slug: str) -> Difference:
    if change.is_database:
        step = f"do not apply: `tenant restore {slug}` from its last snapshot"
        words = "the next apply would make an empty database in its place"
        return Difference(change.address, Severity.DANGEROUS, "there", "gone", words, step)
    words = "it was deleted outside, or never made"
    return Difference(change.address, Severity.REAL, "there", "gone", words, _way(slug))


def _mended(
    change: ResourceChange, severity: Severity, attributes: set[str], words: str, slug: str
) -> Difference:
    said = ", ".join(sorted(attributes - {"tags_all"}))
    return Difference(change.address, severity, "as rendered", said, words, _way(slug))


def _way(slug: str) -> str:
    return f"`drift reconcile`, or `tenant reconcile {slug}`"
