"""Accepting a change: row, history and audit in one transaction. From then on it is durable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, FieldError, Invalid, Stale
from controlplane.domain.operation import Kind
from controlplane.domain.review.layout import OURS, platform_folder, tenant_folder
from controlplane.domain.review.progress import ReviewStatus
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType
from controlplane.services.actor import Actor
from controlplane.services.control import Ask, Control, new_id, new_traceparent
from controlplane.services.quotas import rules
from controlplane.store import audit, operations, reviews
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Operation, Tenant

THROUGH_REVIEW = "review"


@dataclass(frozen=True)
class Intake:
    """One request within its transaction: who asks for what, and how."""

    control: Control
    session: Session
    actor: Actor
    ask: Ask

    def accept(
        self, kind: Kind, workspace_id: str, payload: dict[str, Any], tenant: Tenant | None = None
    ) -> Operation:
        """Insert the operation and its audit entry; with them its review, where changes go through one."""
        slug = tenant.slug if tenant else ""
        if tenant is not None:  # whichever door or schedule asks
            require_verb(self.control, kind, slug, tenant.blueprint)
        payload = {**payload, "auto_approve": self.ask.auto_approve}
        payload.pop("review", None)  # of the operation that this one tries again
        review = self._review(kind, workspace_id, payload, slug)
        operation = Operation(
            id=new_id("op"),
            kind=kind.value,
            workspace_id=workspace_id,
            tenant_uid=tenant.uid if tenant else None,
            tenant_slug=slug,
            payload=payload | self._origin(review),
            requested_by=self.actor.name,
            reason=self.ask.reason,
            request_id=self.ask.request_id,
            traceparent=self.ask.traceparent or new_traceparent(),
            priority=self.ask.priority,
            wave_id=self.ask.wave_id,
            created_at=self.control.now(),
            waiting_for="its turn",
            next_command="controlplane worker --until-idle",
        )
        operations.insert(self.session, operation)
        if tenant is not None:
            for warning in rules.hold(self.control, self.session, kind, tenant, payload):
                operations.tell(self.session, operation.id, self.control.now(), "warning", text=warning)
        if review:
            review.operation_id = operation.id
            reviews.insert(self.session, review)
        self.record(f"{kind.value}.requested", operation)
        return operation

    def _origin(self, review: Review | None) -> dict[str, Any]:
        machine = {"machine": dict(self.ask.machine)} if self.ask.machine else {}
        return machine | ({"review": review.id} if review else {})

    def _review(self, kind: Kind, workspace_id: str, payload: dict[str, Any], slug: str) -> Review | None:
        """A person's own branch says which one it is; else the branch is made by us."""
        if self.control.changes_through != THROUGH_REVIEW or self.ask.is_decided or kind is Kind.DRILL:
            return None  # a drill's copy is nothing that anybody wants to stay
        subject, folder = slug, tenant_folder(slug)
        if not slug:
            subject = f"{payload['blueprint']}/{payload['environment']}"
            folder = platform_folder(payload["blueprint"], payload["environment"])
        review_id, now = new_id("rv"), self.control.now()
        machine = self.ask.machine or payload.get("machine", {})
        origin = {"branch": f"{OURS}{subject}/{kind}-{review_id}", **self.ask.review}
        return Review(
            id=review_id,
            status=ReviewStatus.OPENING.value,
            kind=kind.value,
            subject=subject,
            tenant_slug=slug,
            workspace_id=workspace_id,
            folder=folder,
            machine=machine.get("source", ""),
            evidence=dict(machine.get("evidence", {})),
            revert=machine.get("revert", ""),
            requested_by=self.actor.name,
            reason=self.ask.reason,
            created_at=now,
            updated_at=now,
            **origin,
        )

    def record(self, action: str, operation: Operation) -> None:
        """The audit's entry, in the same transaction as what it tells of."""
        slug = operation.tenant_slug
        audit.append(
            self.session,
            at=self.control.now(),
            actor=self.actor.name,
            action=action,
            subject=f"tenant/{slug}" if slug else operation.workspace_id,
            reason=self.ask.reason,
            request_id=self.ask.request_id,
            origin=self.actor.origin,
            after={"operation": operation.id, "payload": operation.payload},
        )


def require_revision(tenant: Tenant, ask: Ask) -> None:
    if ask.if_match is not None and ask.if_match != tenant.revision:
        raise Stale(
            f"{tenant.slug} was changed since you looked: revision {tenant.revision}, not {ask.if_match}",
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


def require_verb(control: Control, kind: Kind, slug: str, name: str) -> None:
    """A blueprint says what its tenants can do."""
    blueprint = control.catalog.blueprint(name)
    if kind not in blueprint.verbs:
        offered = ", ".join(sorted(blueprint.verbs)) or "none"
        raise Conflict(
            f"{slug} is of {blueprint.name}, whose tenants have no {kind}; they have: {offered}",
            hint=f"controlplane blueprint show {blueprint.name}",
            details={"blueprint": blueprint.name, "verb": kind.value, "verbs": sorted(blueprint.verbs)},
        )


def require_idle(session: Session, tenant: Tenant) -> None:
    """One open change per tenant: what is asked twice is answered with who holds it."""
    open_ones = operations.unfinished(session, f"tenant-{tenant.uid}")
    if open_ones:
        first = open_ones[0]
        raise Conflict(
            f"{tenant.slug} is held by {first.requested_by}'s {first.kind}, {first.id} ({first.status})",
            hint=f"controlplane operation show {first.id}",
            details={"holder": first.id, "kind": first.kind, "status": first.status},
        )


def invalid_field(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors=[FieldError(field, message)])
