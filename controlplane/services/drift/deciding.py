"""What people do about a difference: record it as wanted, or take it back by an ordinary operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.drift import BY_PLAN
from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.names import TenantUid, parse_slug, tenant_workspace
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Size, Stage
from controlplane.domain.workspace import SlotSpec
from controlplane.operations import operation_type
from controlplane.services import page as pages
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control, plain
from controlplane.services.drift.asked import Listing
from controlplane.services.drift.recording import WHOLE, adopt, changed
from controlplane.services.once import within
from controlplane.services.reviews import machine
from controlplane.services.reviews.machine import DRIFT, Proposal
from controlplane.steps.subject import slot_spec
from controlplane.store import audit, operations, slots, tenants
from controlplane.store.fleet import databases, differences
from controlplane.store.fleet.databases import FleetDatabase
from controlplane.store.fleet.differences import ALIVE
from controlplane.store.fleet.rows import DriftFinding

_RECORDED = ("storage_gb", "engine_version", "multi_az", "backup_days", "instance_class", "resource_id")
_MENDED = (
    "public", "deletion_protection", "backup_days", "instance_class", "multi_az", "max_storage_gb",
    "parameter_group", "tags", "storage_gb",
)  # fmt: skip
_SHOWN = (
    "id", "identifier", "attribute", "severity", "situation", "expected", "found", "words", "next_step",
    "status", "first_seen_at", "last_seen_at", "decided_by", "decided_at", "decision_reason",
)  # fmt: skip

_NO_WAY_BACK = {"way back": "by hand, as it came; `drift accept` instead of this change keeps what AWS has"}


# --- reading ----------------------------------------------------------------------------------------


def view(row: DriftFinding) -> dict[str, Any]:
    shown = {name: plain(getattr(row, name)) for name in _SHOWN}
    return {**shown, "tenant": row.slug or None, "operation": row.operation_id}


def page(control: Control, actor: Actor, wanted: Listing) -> dict[str, Any]:
    """The newest first. What is nobody's is shown to who sees everything."""
    actor.require(Action.READ_FLEET)
    statuses = (wanted.status,) if wanted.status else ALIVE
    after = str(pages.decode(wanted.page_token).get("after", "")) if wanted.page_token else ""
    seen: list[DriftFinding] = []
    more = True
    with control.db.read() as session:
        while more and len(seen) <= wanted.page_size:
            rows = differences.page(session, statuses, wanted.page_size + 1, after, wanted.severity)
            seen += [row for row in rows if _sees(actor, row)]
            more = len(rows) > wanted.page_size
            after = rows[-1].id if rows else after
    items = seen[: wanted.page_size]
    token = pages.encode({"seq": 0, "after": items[-1].id}) if len(seen) > wanted.page_size else None
    return {"items": [view(row) for row in items], "next_page_token": token}


def _sees(actor: Actor, row: DriftFinding) -> bool:
    return actor.sees(row.slug) if row.slug else actor.sees_everything


def show(control: Control, actor: Actor, id_: str) -> dict[str, Any]:
    with control.db.read() as session:
        row = differences.get(session, id_)
    _require(actor, Action.READ_TENANT, row)
    return view(row)


def _require(actor: Actor, action: Action, row: DriftFinding) -> None:
    if row.slug:
        actor.require(action, parse_slug(row.slug))
    else:
        actor.require(Action.CHANGE_FLEET)


# --- accepting --------------------------------------------------------------------------------------


def accept(control: Control, actor: Actor, id_: str, ask: Ask) -> dict[str, Any]:
    """The record follows what AWS has: no plan, and the next one is empty."""
    with control.db.write() as session:
        row = _open(session, actor, id_)
        if row.attribute not in _RECORDED or (row.attribute, row.found) == ("backup_days", "0"):
            raise Refused(
                f"{row.identifier}: {row.attribute or 'its being'} is nothing to accept: {row.words}",
                hint=row.next_step or "controlplane drift list",
            )
        _refuse_busy(session, row)
        _accept(control, session, actor, row, ask)
        values = {
            "status": "accepted",
            "decided_by": actor.name,
            "decided_at": control.now(),
            "decision_reason": ask.reason,
        }
        differences.move(session, id_, ALIVE, values)
        _record(control, session, actor, ask, "drift.accepted", row)
        return view(differences.get(session, id_))


def _accept(control: Control, session: Session, actor: Actor, row: DriftFinding, ask: Ask) -> None:
    if row.attribute == "resource_id":
        differences.replace(session, row.identifier, row.found, control.now())
        return
    of = _database(session, row)
    slot = slot_spec(slots.get(session, of.uid, of.epoch))
    if row.attribute != "instance_class":
        adopt(control, session, of, changed(slot, row.attribute, row.found), actor.name)
        return
    after = replace(slot, size=_size(control, row))
    _allow_micro(control, session, of, after, (actor, ask))
    adopt(control, session, of, after, actor.name)


def _size(control: Control, row: DriftFinding) -> Size:
    for size, facts in control.catalog.sizes.items():
        if facts.instance_class == row.found:
            return size
    known = ", ".join(facts.instance_class for facts in control.catalog.sizes.values())
    raise Refused(f"{row.found} is no class of the catalog ({known})", hint="controlplane drift reconcile")


def _allow_micro(
    control: Control, session: Session, of: FleetDatabase, slot: SlotSpec, by: tuple[Actor, Ask]
) -> None:
    """Micro in production is a decision that somebody puts his name to."""
    if of.stage != Stage.PRODUCTION or slot.size is not Size.MICRO or of.rightsizing_decision:
        return
    actor, ask = by
    if not ask.reason:
        raise Refused("micro in production needs a recorded decision", hint="say why: --reason")
    decision = {"rightsizing_decision": f"{actor.name}: {ask.reason}"}
    tenants.change(session, of.uid, decision, actor=actor.name, now=control.now())


def _database(session: Session, row: DriftFinding) -> FleetDatabase:
    found = [d for d in databases.every(session) if d.identifier == row.identifier]
    if not found:
        raise Conflict(
            f"{row.identifier} is no longer among the databases that run", hint="controlplane drift scan"
        )
    return found[0]


# --- reconciling ------------------------------------------------------------------------------------


def reconcile(control: Control, actor: Actor, id_: str, ask: Ask) -> dict[str, Any]:
    """The ordinary operation or its review, with plan, policy and approval; answers the operation.

    What waits for the same tenant already mends this as well: its evidence is renewed, and it is answered.
    """
    with control.db.write() as session:
        row = _open(session, actor, id_)
        if not is_mended_by_a_plan(row):
            raise Refused(
                f"a plan does not mend {row.attribute or 'this'} of {row.identifier}: {row.words}",
                hint=row.next_step or "controlplane drift show",
            )
        why = ask.reason or f"drift: {row.attribute} is {row.found}, recorded is {row.expected}"
        wanted = _proposal(differences.of_tenant(session, row.tenant_uid))
        operation = machine.propose(within(control, session), actor, wanted, replace(ask, reason=why))
        values = {
            "status": "proposed",
            "operation_id": operation["id"],
            "decided_by": actor.name,
            "decided_at": control.now(),
            "decision_reason": why,
        }
        differences.move(session, id_, ("open",), values)
        _record(control, session, actor, ask, "drift.reconciled", row)
        return operation


def _proposal(rows: Sequence[DriftFinding]) -> Proposal:
    """One plan mends all that a plan mends of this tenant."""
    mended = [row for row in rows if is_mended_by_a_plan(row)]
    found = {f"{row.identifier}: {row.attribute}": f"{row.found}; recorded {row.expected}" for row in mended}
    request = operation_type(Kind.RECONCILE).request()
    return Proposal(DRIFT, Kind.RECONCILE, mended[0].slug, request, {**found, **_NO_WAY_BACK})


def is_mended_by_a_plan(row: DriftFinding) -> bool:
    """What a plan found it mends as well, unless a person has to look first."""
    if row.situation == BY_PLAN:
        return "do not apply" not in row.next_step
    return row.attribute in _MENDED and row.attribute != WHOLE


def _open(session: Session, actor: Actor, id_: str) -> DriftFinding:
    row = differences.get(session, id_)
    _require(actor, Action.CHANGE_TENANT, row)
    if row.status != "open":
        way = (
            f"controlplane operation show {row.operation_id}"
            if row.operation_id
            else "controlplane drift scan"
        )
        raise Conflict(f"the difference {id_} is {row.status} already", hint=way)
    return row


def _refuse_busy(session: Session, row: DriftFinding) -> None:
    held = operations.unfinished(session, tenant_workspace(TenantUid(row.tenant_uid)))
    if held:
        raise Conflict(
            f"{row.slug} is held by {held[0].kind} {held[0].id}",
            hint=f"controlplane operation show {held[0].id}",
        )


def _record(
    control: Control, session: Session, actor: Actor, ask: Ask, action: str, row: DriftFinding
) -> None:
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        action=action,
        subject=f"tenant/{row.slug}" if row.slug else f"database/{row.identifier}",
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        before={row.attribute: row.expected},
        after={row.attribute: row.found},
    )
