"""A restore drill: how recent the newest backup is, how soon its copy answers, and whether it is whole.

Everything happens in a workspace of the copy's own. The living tenant is asked for its shape, and for
nothing else. What was measured is kept in the operation's response as it goes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from controlplane.domain import names
from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.recovery import shortfalls
from controlplane.durable import Retry
from controlplane.steps import credentials, probing, restoring, subject
from controlplane.steps.credentials import login
from controlplane.steps.story import effect, say
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store import operations, slots, tenants


def _keep(operation_id: str, **measured: Any) -> dict[str, Any]:
    """Add to the report; what was measured once stays as it was."""
    with world().db.write() as session:
        report = {**measured, **operations.get(session, operation_id).response}
        operations.note(session, operation_id, response=report)
    return report


@effect("choose_backup", "looking how far the newest backup reaches")
def choose_backup(operation_id: str) -> dict[str, Any]:
    """Reads only. What the tenant is made of is taken down now: later it may be something else."""
    found = subject.load(operation_id)
    if "rpo_seconds" in found.operation.response:
        return dict(found.operation.response)
    source = str(found.payload["slot"]["backup_source"])
    window = world().ports.cloud.backup_window(source)
    if window is None or window.latest is None:
        raise Refused(
            f"{found.payload['from']} has no backups that anything could be restored from ({source})",
            hint=f"controlplane tenant show {found.payload['from']}",
        )
    behind = max(0.0, (world().now() - window.latest).total_seconds())
    shape = world().ports.migration.shape(_living(found))
    return _keep(
        operation_id,
        tenant=found.payload["from"],
        backup=window.arn,
        backup_reaches=window.latest.isoformat(),
        rpo_seconds=round(behind, 1),
        shape=dict(shape),
    )


def _living(found: Subject) -> Any:
    with world().db.read() as session:
        tenant = tenants.by_uid(session, found.payload["from_uid"])
        slot = subject.slot_spec(slots.get(session, tenant.uid, found.payload["from_epoch"]))
    return login(tenant, slot, "cp_control")


def answer(operation_id: str) -> dict[str, Any]:
    """From a restored instance to one that an application gets in."""
    credentials.set_up_roles(operation_id)
    restoring.open_logins(operation_id)
    return measure(operation_id, probing.probe(operation_id))


@effect("measure_recovery", "measuring how soon it answered")
def measure(operation_id: str, probe: dict[str, Any]) -> dict[str, Any]:
    if not probe["reachable"]:
        raise Conflict(f"what was restored does not answer: {probe['detail']}", hint="controlplane doctor")
    began: datetime = subject.load(operation_id).operation.started_at or world().now()
    seconds = (world().now() - began).total_seconds()
    return _keep(operation_id, rto_seconds=round(seconds, 1))


@effect("examine", "reading everything that was restored", Retry(attempts=3))
def examine(operation_id: str) -> dict[str, Any]:
    """Every row, and what has to hold between them. A check that fails is told at the end: first it goes."""
    found = subject.load(operation_id)
    copy = login(found.the_tenant(), found.route_slot(), "cp_control")
    seen = world().ports.migration.examine(copy, found.operation.response["shape"])
    checks = [{"id": c.id, "name": c.name, "passed": c.passed, "detail": c.detail} for c in seen.checks]
    for one in checks:
        if not one["passed"]:
            say(operation_id, "warning", f"{one['id']} {one['name']}: {one['detail']}")
    _keep(operation_id, checks=checks, digest=seen.digest)
    return {"passed": seen.passed, "digest": seen.digest}


@effect("forget_copy", "removing the copy's own last snapshot")
def forget_copy(operation_id: str) -> None:
    """RDS takes one of whatever goes. This one holds nothing that its source's backups have not."""
    found = subject.load(operation_id)
    tenant = found.the_tenant()
    for slot in found.slots:
        slug, uid = names.Slug(tenant.slug), names.TenantUid(tenant.uid)
        world().ports.cloud.delete_snapshot(names.final_snapshot_identifier(slug, uid, slot.epoch))


@effect("conclude_drill", "holding it against what is promised")
def conclude(operation_id: str) -> dict[str, Any]:
    """Nothing of it is left by now. Raises where it failed, or fell short."""
    operation = subject.load(operation_id).operation
    report = {name: value for name, value in operation.response.items() if name != "shape"}
    wrong = [str(operation.error["detail"])] if operation.error else shortfalls(report)
    if wrong:
        raise Conflict(
            f"the drill of {operation.payload['from']}'s backup failed: {'; '.join(wrong)}",
            hint=f"mend it, then: controlplane tenant drill {operation.payload['from']}",
            details={"report": report},
        )
    return report


@effect("leave_nothing", "making sure that nothing of it is left")
def leave_nothing(operation_id: str) -> dict[str, Any]:
    """Before an end that was not wanted. `undone` is False where a copy may still be there:
    a person settles."""
    found = subject.load(operation_id)
    status = "failed"
    if found.slots:
        with world().db.read() as session:
            begun = operations.any_plan_consumed(session, operation_id)
        if begun:
            return {"undone": False, "note": "its copy may still be there"}
        status = ""  # refused or called off before anything was made
        _forget_unborn(found)
    return {
        "undone": True,
        "status": status,
        "phase": "torn_down",
        "note": "nothing of it is left",
        "hint": "",
    }


def _forget_unborn(found: Subject) -> None:
    tenant = found.the_tenant()
    for slot in found.slots:
        credentials.forget_logins(tenant, slot.epoch)
    with world().db.write() as session:
        slots.retire(session, tenant.uid)
