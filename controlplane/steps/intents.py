"""What an operation does without Terraform, written down as a plan: to be judged, approved and used up once.

It stands in the form of a Terraform plan, so that every door shows it and every rule looks at it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from controlplane.domain.migration.bluegreen import VARIANT as BLUE_GREEN
from controlplane.domain.operation import Kind
from controlplane.domain.plan.summary import parse
from controlplane.domain.schema import VARIANT as SCHEMA
from controlplane.steps import judging, planning, subject
from controlplane.steps.platforms.schemas import space_of
from controlplane.steps.story import effect

_TYPE = "database_action"  # none of Terraform's types
_VERSION = "1"


@dataclass(frozen=True)
class Intent:
    """Nothing before: it is made; nothing after: it goes."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    outage: str = "none"


INTENTS: Mapping[tuple[Kind, str], Intent] = {
    (Kind.SUSPEND, ""): Intent({"power": "on"}, {"power": "off"}, "from its stop until it is resumed"),
    (Kind.RESUME, ""): Intent({"power": "off"}, {"power": "on"}),
    (Kind.ROLLBACK, ""): Intent({"route": "the new database"}, {"route": "the old database"}, "seconds"),
    (Kind.ROLLBACK, BLUE_GREEN): Intent({"route": "the new side"}, {"route": "the old side"}, "seconds"),
    (Kind.FINALIZE, BLUE_GREEN): Intent({"old_side": "kept since the switchover"}, {}),
    (Kind.ROTATE, "application"): Intent({"application": "one login"}, {"application": "the other login"}),
    (Kind.CREATE, SCHEMA): Intent({}, {"schema": "its own", "logins": "two"}),
    (Kind.DESTROY, SCHEMA): Intent({"schema": "its own", "logins": "two"}, {}, "from its first step on"),
    (Kind.ROTATE, SCHEMA): Intent({"application": "one login"}, {"application": "the other login"}),
    (Kind.ROTATE, "control"): Intent({"cp_control": "its password"}, {"cp_control": "a new password"}),
}


@effect("record_intent", "writing down what is to be done")
def record(operation_id: str, number: int) -> dict[str, Any]:
    """Reads only, but for the row; written twice under one id, the first one stays."""
    found = subject.load(operation_id)
    intent = INTENTS[found.kind, found.payload.get("variant", "")]
    document = _document(_name(found), intent)
    summary = parse(document)
    judged = judging.judge(found, document, summary)
    judged["forecast"] = {"outage": intent.outage, "databases": []}
    frozen = json.dumps([found.kind.value, dict(found.payload)], sort_keys=True)
    digest = sha256(frozen.encode()).hexdigest()
    plan = planning.drawn(found, f"{operation_id}-{number}-intent", document, digest, _VERSION)
    plan.summary = {**planning.summarised(summary, judged), "folder": "", "touches_database": True}
    planning.keep(plan, judged, summary)
    return {"plan_id": plan.id}


def _name(found: subject.Subject) -> str:
    """What is changed: the tenant's database, or its schema."""
    if found.is_schema:
        return f"{found.the_platform().outputs['database_identifier']}/{space_of(found.the_tenant()).schema}"
    return (found.beside[0] if found.kind is Kind.FINALIZE else found.route_slot()).identifier


def _document(identifier: str, intent: Intent) -> dict[str, Any]:
    action = "create" if not intent.before else "update" if intent.after else "delete"
    before, after = dict(intent.before) or None, dict(intent.after) or None
    change = {"actions": [action], "before": before, "after": after}
    entry = {"address": identifier, "type": _TYPE, "name": identifier, "change": change}
    return {"format_version": "1.2", "terraform_version": "", "resource_changes": [entry]}
