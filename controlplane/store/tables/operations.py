"""Operations, their plans and approvals, and the waves that start many of them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.columns import Money, document, moment, sequence

# Statuses in which an operation holds its workspace; `needs_operator` holds it until a person settles.
HOLDING = "'planning','awaiting_approval','awaiting_window','applying','verifying','needs_operator'"


class Operation(SQLModel, table=True):
    __table_args__ = (
        Index(
            "operation_one_active",
            "workspace_id",
            unique=True,
            sqlite_where=text(f"status IN ({HOLDING})"),
            postgresql_where=text(f"status IN ({HOLDING})"),
        ),
        Index("operation_ready", "leg_state", "priority", "seq"),
        Index("operation_status", "status", "seq"),
        Index("operation_tenant", "tenant_uid", "seq"),
        Index("operation_workspace", "workspace_id", "seq"),
    )

    seq: int | None = sequence()
    id: str = Field(unique=True)
    kind: str
    workspace_id: str
    tenant_uid: str | None = Field(default=None, foreign_key="tenant.uid")
    tenant_slug: str = ""
    status: str = "pending"
    # The engine runs legs; between two legs an operation waits as a row and nothing else.
    leg: str = "plan"  # the leg that is next, or running
    leg_state: str = "ready"  # ready, running, idle
    leg_number: int = 0  # how many legs were started
    round: int = 0  # which of the kind's rounds (each: plan, decide, apply)
    not_before: datetime | None = moment()  # a back-off or a window
    stage: str = ""  # the step that is being done, for people
    waiting_for: str = ""  # why it is not going on
    next_command: str = ""  # what unblocks it
    priority: int = 10  # lower goes first; bulk changes use higher numbers
    payload: dict[str, Any] = document(dict)  # frozen when accepted
    requested_by: str
    reason: str = ""
    request_id: str = ""
    traceparent: str = ""  # of its trace, as W3C writes it
    wave_id: str | None = Field(default=None, index=True)
    attempt: int = 1
    cancel_requested: str = ""  # who asked; polled by running steps
    cancel_insist: bool = False
    plan_id: str | None = None
    cost_before: Decimal | None = Field(default=None, sa_type=Money)
    cost_after: Decimal | None = Field(default=None, sa_type=Money)
    policy: list[Any] = document(list)
    response: dict[str, Any] = document(dict)
    error: dict[str, Any] = document(dict)
    outcome: list[Any] = document(list)  # what was done, resource by resource
    imports: list[Any] = document(list)  # [address, id] of what exists in AWS and has to be adopted
    created_at: datetime = moment(nullable=False)
    started_at: datetime | None = moment()
    ended_at: datetime | None = moment()
    expires_at: datetime | None = moment()  # of a waiting approval


class OperationEvent(SQLModel, table=True):
    """The story, line by line: every door tells it from here (SSE offsets are `seq`)."""

    __tablename__ = "operation_event"
    __table_args__ = (Index("operation_event_operation", "operation_id", "seq"),)

    seq: int | None = sequence()
    operation_id: str
    at: datetime = moment(nullable=False)
    type: str  # status, step, plan, warning, …
    step: str = ""
    text: str = ""
    data: dict[str, Any] = document(dict)


class Plan(SQLModel, table=True):
    """A masked plan and what binds it. One apply uses it up."""

    id: str = Field(primary_key=True)
    operation_id: str = Field(index=True)
    run_id: str
    meaning: str
    binding: str
    render_digest: str
    summary: dict[str, Any] = document(dict)  # counts, actions, forecast
    changes: list[Any] = document(list)  # masked resource changes
    consumed_by: str | None = None  # the run id of the one apply
    consumed_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)


class Approval(SQLModel, table=True):
    seq: int | None = sequence()
    operation_id: str = Field(index=True)
    meaning: str
    actor: str
    decision: str  # approve, reject, policy
    reason: str = ""
    voided: str = ""  # why it no longer counts
    at: datetime = moment(nullable=False)


class Wave(SQLModel, table=True):
    id: str = Field(primary_key=True)
    kind: str
    status: str  # running, paused, aborted, done
    selector: str = ""
    size: int
    canary: int = 0
    abort_after_percent: Decimal | None = Field(default=None, sa_type=Money)
    payload: dict[str, Any] = document(dict)
    requested_by: str
    reason: str = ""
    note: str = ""  # why it paused or aborted
    created_at: datetime = moment(nullable=False)
    ended_at: datetime | None = moment()


class WaveItem(SQLModel, table=True):
    __tablename__ = "wave_item"

    wave_id: str = Field(primary_key=True, foreign_key="wave.id")
    position: int = Field(primary_key=True)
    tenant_uid: str
    tenant_slug: str
    operation_id: str | None = Field(default=None, index=True)
    status: str = "waiting"  # waiting, started, or the operation's final status, or refused
    detail: str = ""
