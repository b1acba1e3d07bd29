"""Accepting a change: row, history and audit in one transaction. From then on it is durable."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, FieldError, Invalid, Stale
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType
from controlplane.services.actor import Actor
from controlplane.services.control import Ask, Control, new_id
from controlplane.store import audit, operations
from controlplane.store.tables import Operation, Tenant


def accept(  # noqa: PLR0913
    control: Control,
    session: Session,
    actor: Actor,
    ask: Ask,
    kind: Kind,
    workspace_id: str,
    payload: dict[str, Any],
    tenant: Tenant | None = None,
) -> Operation:
    """Insert the operation and its audit entry in the caller's transaction."""
    now = control.now()
    operation = Operation(
        id=new_id("op"),
        kind=kind.value,
        workspace_id=workspace_id,
        tenant_uid=tenant.uid if tenant else None,
        tenant_slug=tenant.slug if tenant else "",
        payload={**payload, "auto_approve": ask.auto_approve},
        requested_by=actor.name,
        reason=ask.reason,
        request_id=ask.request_id,
        priority=ask.priority,
        created_at=now,
        waiting_for="its turn",
        next_command="controlplane worker (if none is running)",
    )
    operations.insert(session, operation)
    record(control, session, actor, ask, f"{kind.value}.requested", operation)
    return operation


def record(  # noqa: PLR0913
    control: Control, session: Session, actor: Actor, ask: Ask, action: str, operation: Operation
) -> None:
    audit.append(
        session,
        at=control.now(),
        actor=actor.name,
        action=action,
        subject=f"tenant/{operation.tenant_slug}" if operation.tenant_slug else operation.workspace_id,
        reason=ask.reason,
        request_id=ask.request_id,
        origin=actor.origin,
        after={"operation": operation.id, "payload": operation.payload},
    )


def require_revision(tenant: Tenant, ask: Ask) -> None:
    if ask.if_match is not None and ask.if_match != tenant.revision:
        raise Stale(
            f"{tenant.slug} was changed since you looked: it has revision {tenant.revision}, not {ask.if_match}",
            hint=f"controlplane tenant show {tenant.slug}",
        )


def require_phase(tenant: Tenant, of: OperationType) -> None:
    """A change that makes no sense in the tenant's phase is refused before anything is planned."""
    if of.from_phases and Phase(tenant.phase) not in of.from_phases:
        legal = ", ".join(sorted(of.from_phases))
        raise Conflict(
            f"{tenant.slug} is {tenant.phase}: {of.kind} is possible when it is {legal}",
            hint=f"controlplane tenant explain {tenant.slug}",
            details={"phase": tenant.phase, "possible_in": sorted(of.from_phases)},
        )


def require_idle(session: Session, tenant: Tenant) -> None:
    """One open change per tenant: what is asked twice is answered with who holds it."""
    open_ones = operations.unfinished(session, f"tenant-{tenant.uid}")
    if open_ones:
        first = open_ones[0]
        raise Conflict(
            f"{tenant.slug} is held by operation {first.id} ({first.kind}, {first.status}) of {first.requested_by}",
            hint=f"controlplane operation show {first.id}",
            details={"holder": first.id, "kind": first.kind, "status": first.status},
        )


def invalid_field(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors=[FieldError(field, message)])
