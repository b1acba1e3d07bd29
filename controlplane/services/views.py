"""What doors answer: rows as plain data, the same for REST, CLI and console."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.operation import Status, is_final
from controlplane.domain.tenant import customer_class
from controlplane.services import guidance
from controlplane.services.control import plain
from controlplane.services.fields import TENANT
from controlplane.store import operations, queue, story
from controlplane.store.tables import Operation, OperationEvent, Plan, Tenant
from controlplane.store.tenants.listing import TenantRow

_WAITING = (Status.AWAITING_APPROVAL, Status.AWAITING_WINDOW)


def tenant(row: Tenant | TenantRow, labels: dict[str, str]) -> dict[str, Any]:
    view = {name: plain(getattr(row, name)) for name in TENANT}
    view["monthly_usd"] = None if row.monthly_usd is None else f"{row.monthly_usd:.2f}"
    return {**view, "labels": labels, "customer_class": customer_class(row.locations, row.users).value}


def operation(session: Session, row: Operation) -> dict[str, Any]:
    """An AIP-151 long operation, with what a person asks next."""
    status = Status(row.status)
    view: dict[str, Any] = {
        "id": row.id,
        "kind": row.kind,
        "tenant": row.tenant_slug or None,
        "workspace": row.workspace_id,
        "status": row.status,
        "done": is_final(status),
        "metadata": {
            "stage": row.stage,
            "progress": _progress(session, row),
            "queue_position": queue.queue_position(session, row),
            "holder": queue.in_front(session, row),
            "waiting_for": row.waiting_for,
            "next_command": row.next_command,
            "cancel_requested_by": row.cancel_requested or None,
        },
        "requested_by": row.requested_by,
        "reason": row.reason,
        "request_id": row.request_id,
        "trace": row.traceparent[3:35],
        "wave": row.wave_id,
        "review": row.payload.get("review"),
        "attempt": row.attempt,
        "cost_before": _usd(row.cost_before),
        "cost_after": _usd(row.cost_after),
        "policy": row.policy,
        "plan": _plan(operations.plan_of(session, row)),
        "outcome": row.outcome,
        "created_at": plain(row.created_at),
        "started_at": plain(row.started_at),
        "ended_at": plain(row.ended_at),
        "expires_at": plain(row.expires_at),
    }
    if is_final(status):
        good = status in (Status.SUCCEEDED, Status.NO_CHANGES)
        view |= {"response": row.response} if good else {"error": row.error}
    elif row.error:
        view["metadata"]["problem"] = row.error
    if not is_final(status):
        found = guidance.of_operation(view)
        view["metadata"] |= {
            # Once approved it still has that status, until a worker takes it up.
            "blocked": status in _WAITING and bool(row.next_command),
            "cause": found.cause,
            "evidence": found.evidence,
            "who_may_act": found.who,
            # Who made it wait knows best; otherwise what is written may be of an earlier status.
            "next_command": (row.next_command if status in _WAITING else "") or found.command,
        }
    return view


def _progress(session: Session, row: Operation) -> list[dict[str, Any]]:
    """The steps with their times, in order; a step that ran again stands once, with its last end."""
    return [
        {
            "step": first.step,
            "text": last.text,
            "started_at": plain(first.at),
            "ended_at": None if last.data.get("state") == "started" else plain(last.at),
            "state": str(last.data.get("state")),
        }
        for first, last in story.steps_of(session, row.id)
    ]


def _usd(value: Any) -> str | None:
    return None if value is None else f"{value:.2f}"


def _plan(row: Plan | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "id": row.id,
        "meaning": row.meaning,
        "binding": row.binding,
        "render_digest": row.render_digest,
        "consumed_by": row.consumed_by,
        **row.summary,
    }


def event(row: OperationEvent) -> dict[str, Any]:
    return {
        "offset": row.seq,
        "at": plain(row.at),
        "type": row.type,
        "step": row.step,
        "text": row.text,
        "data": row.data,
    }
