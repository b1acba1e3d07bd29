"""A plan that would make what AWS has of ours already is not judged: it is adopted, and planned again.

That is what a lost state looks like: Terraform knows nothing and wants to create everything. A tainted
database looks alike: Terraform wants to delete it and make an empty one. Imports bring both into the state.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.domain.errors import Refused
from controlplane.domain.names import WorkspaceId, slot_key
from controlplane.domain.operation import Kind
from controlplane.domain.plan import settle
from controlplane.domain.plan.digest import Normal, normal_changes
from controlplane.domain.plan.summary import DATABASES, Action
from controlplane.domain.workspace import Import
from controlplane.steps.story import say
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import operations

_BECOMES_AVAILABLE_SECONDS = 3600
_TAINTED = "replace_because_tainted"
_IMPORTED_BY_ARN = frozenset({"aws_iam_policy", "aws_lb_listener_rule"})
# Whose database need not be there before.
_MAKING = frozenset({Kind.CREATE, Kind.RESTORE, Kind.ADOPT})


def adopt_first(found: Subject, document: Mapping[str, Any], *, destroys: bool) -> int | None:
    """The round to plan next, once it is noted what is to be imported; None: judge this plan.

    Safe to repeat: what is noted is noted again, and what is forgotten is forgotten.
    """
    changes = normal_changes(document)
    state = world().ports.runner.state(WorkspaceId(found.operation.workspace_id))
    if found.tenant is None:
        _refuse_second_platform(found, changes, state)
        return None
    if destroys:
        return _before_its_first_round(found, changes, state)
    coming = [c for c in changes if _comes(c)]
    if not any(c["type"] in DATABASES for c in coming):
        return None
    known = settle.read_state(state)
    verdict = _verdict(found, coming, {a: o for a, o in known.items() if not o.tainted})
    fresh = [[i.address, i.id] for i in verdict.imports if [i.address, i.id] not in found.operation.imports]
    if fresh:
        _note(found, fresh, [address for address, _ in fresh if address in known])
        return found.operation.round
    if found.kind is Kind.DESTROY and not _there(found):
        say(found.operation.id, "warning", "its database is gone already: what is left of it is removed")
        return found.operation.round + 1
    _refuse_empty_database(found, coming, verdict.imports)
    return None


def _comes(change: Normal) -> bool:
    """Made anew by this plan, without an import."""
    if change["imported_id"]:
        return False
    is_tainted = change["type"] in DATABASES and change["reason"] == _TAINTED
    return bool(change["action"] == Action.CREATE.value or is_tainted)


def _verdict(
    found: Subject, coming: Sequence[Normal], state: Mapping[str, settle.StateObject]
) -> settle.Verdict:
    """What is to be adopted; a database that is still being made is waited for."""
    deadline = time.monotonic() + _BECOMES_AVAILABLE_SECONDS
    while True:
        aws = presence(found, coming)
        verdict = settle.settle(settle.Evidence(settle.RunEnd.NEVER_STARTED, None, coming, state, aws))
        if verdict.outcome is settle.Outcome.NEEDS_OPERATOR:
            raise Refused(verdict.reason, hint=verdict.next_step)
        if not verdict.wait_for or time.monotonic() > deadline:
            return verdict
        say(found.operation.id, "warning", f"waiting until {', '.join(verdict.wait_for)} can be adopted")
        time.sleep(max(1.0, world().poll_seconds))


def presence(found: Subject, planned: Sequence[Normal]) -> dict[str, settle.Presence]:
    """What AWS has under the names that a plan would give."""
    cloud, tenant = world().ports.cloud, found.tenant
    if tenant is None:
        return {}
    names = settle.probe_names(planned)
    tagged = _tagged(tenant.uid) if names else ()
    present = {}
    for address, (type_, name) in names.items():
        if type_ == "aws_db_instance":
            instance = cloud.database(name)
            if instance is not None:
                ours = instance.tags.get("uid") == tenant.uid
                present[address] = settle.Presence(name, ours, instance.status == "available")
        elif type_ == "aws_ssm_parameter":
            if cloud.read_parameter(name) is not None:
                present[address] = settle.Presence(name, ours=True)
        elif arn := next((arn for arn in tagged if settle.is_named(type_, name, arn)), ""):
            id_ = arn if type_ in _IMPORTED_BY_ARN else name
            present[address] = settle.Presence(id_, ours=True)  # tags are how it was found
    return present


def _tagged(uid: str) -> tuple[str, ...]:
    return tuple(world().ports.cloud.tagged_resources({"uid": uid, "managed-by": "controlplane"}))


def _note(found: Subject, fresh: list[list[str]], tainted: list[str]) -> None:
    """Forget what is tainted, then write down what to import. Never untainted alone: an import sends the
    master password again, which a create that failed half way may not have set."""
    here, operation = world(), found.operation
    if tainted:
        here.ports.runner.forget(WorkspaceId(operation.workspace_id), tainted)
    names = ", ".join(id_ for _, id_ in fresh[:3]) + (" …" if len(fresh) > 3 else "")
    why = "its state was tainted" if tainted else "the state does not know what AWS has"
    with here.db.write() as session:
        operations.note(session, operation.id, imports=[*operation.imports, *fresh])
    say(operation.id, "warning", f"{why}: {len(fresh)} to be adopted ({names}), then planned again")


def _before_its_first_round(
    found: Subject, changes: Sequence[Normal], state: Mapping[str, Any] | None
) -> int | None:
    """A destroy of what the state does not know destroys nothing: back to where it is adopted."""
    if changes or settle.read_state(state):
        return None
    left = _there(found)
    if not left:
        return None
    say(found.operation.id, "warning", f"the state is lost and {', '.join(left)} is still there: adopting it")
    return 0


def _there(found: Subject) -> list[str]:
    """The tenant's databases that AWS has."""
    return [s.identifier for s in found.slots if world().ports.cloud.database(s.identifier) is not None]


def _refuse_empty_database(found: Subject, coming: Sequence[Normal], imports: Sequence[Import]) -> None:
    """The database that the route points to was there and is gone: a new one would be empty."""
    tenant = found.the_tenant()
    if found.kind in _MAKING or not tenant.endpoint or tenant.epoch not in found.there:
        return
    inside = f'module.database["{slot_key(tenant.epoch)}"].'
    adopted = {i.address for i in imports}
    for change in coming:
        address = change["address"]
        if change["type"] in DATABASES and address.startswith(inside) and address not in adopted:
            raise Refused(
                f"{tenant.slug}: its database {change['after'].get('identifier', '')} is gone from AWS; "
                "this plan would make an empty one in its place",
                hint=f"controlplane tenant restore {tenant.slug}: from a snapshot or a point in time",
            )


def _refuse_second_platform(
    found: Subject, changes: Sequence[Normal], state: Mapping[str, Any] | None
) -> None:
    """A platform that is recorded has a state; without it a second network would be made."""
    there = found.platform is not None and found.platform.outputs
    if there and changes and not settle.read_state(state):
        raise Refused(
            f"the state of {found.operation.workspace_id} is lost: this plan would make a second platform",
            hint="put its state back from a backup of the catalog (docs/operations.md, A state is lost)",
        )
