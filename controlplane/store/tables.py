"""All tables. One metadata, created only by migrations; queries live in the file of their noun."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controlplane.store.columns import Code, Json, Money, UtcTime

# Statuses in which an operation holds its workspace; `needs_operator` holds it until a person settles.
HOLDING = "'planning','awaiting_approval','awaiting_window','applying','verifying','needs_operator'"


def _time(nullable: bool = True) -> Any:
    return Field(default=None, sa_type=UtcTime, nullable=nullable)


def _json(default: Any) -> Any:
    return Field(default_factory=default, sa_column=Column(Json, nullable=False))


def _sequence() -> Any:
    """Our own order of events: engine timestamps have whole seconds on some Pythons."""
    whole = BigInteger().with_variant(Integer, "sqlite")
    return Field(default=None, sa_column=Column(whole, primary_key=True, autoincrement=True))


class Tenant(SQLModel, table=True):
    __table_args__ = (
        # One for every offered filter with every offered sort: no page of a listing is sorted.
        *(
            Index(f"tenant_{filtered}_{sort}", filtered, *dict.fromkeys((sort, "slug")))
            for filtered in ("stage", "size", "phase", "region")
            for sort in ("slug", "created_at", "monthly_usd")
        ),
        Index("tenant_created", "created_at", "slug"),
        Index("tenant_cost", "monthly_usd", "slug"),
    )

    uid: str = Field(primary_key=True)
    slug: str = Field(unique=True, sa_type=Code)
    display_name: str = ""
    stage: str
    size: str
    region: str
    cell: str
    blueprint: str
    environment: str
    storage_gb: int
    locations: int = 1
    users: int = 1
    paying: bool = False
    sla: bool = False
    sensitive: bool = False
    rightsizing_decision: str = ""
    generation: int = 1  # of the desired spec above
    observed_generation: int = 0
    phase: str
    phase_reason: str = ""
    unverified: bool = False
    migration_state: str = "none"
    epoch: int = 1  # whose slot the route points to
    endpoint: str = ""
    port: int = 0
    cost_tier: str
    monthly_usd: Decimal | None = Field(default=None, sa_type=Money)
    template_version: str = ""
    revision: int = 1  # optimistic concurrency: the ETag
    spec_commit: str = ""  # on the base of reviews, whose tenant.yaml is the desired spec above
    created_at: datetime = _time(nullable=False)
    updated_at: datetime = _time(nullable=False)
    ready_at: datetime | None = _time()
    torn_down_at: datetime | None = _time()
    expires_at: datetime | None = _time()  # the end of a proof of concept that was made for a time


class TenantLabel(SQLModel, table=True):
    __tablename__ = "tenant_label"
    __table_args__ = (Index("tenant_label_key", "key", "value", "tenant_uid"),)

    tenant_uid: str = Field(primary_key=True, foreign_key="tenant.uid")
    key: str = Field(primary_key=True)
    value: str


class Slot(SQLModel, table=True):
    """One database of a tenant. Never renamed, never moved; its key in Terraform is e<epoch>."""

    tenant_uid: str = Field(primary_key=True, foreign_key="tenant.uid")
    epoch: int = Field(primary_key=True)
    identifier: str = Field(unique=True)
    size: str
    storage_gb: int
    multi_az: bool = False
    backup_days: int = 1
    protected: bool = True
    alarms: bool = True
    credential_version: int = 1
    credential_write: bool = False
    adopted: bool = False  # rendered without password arguments until rotated
    snapshot_identifier: str = ""  # restored from
    backup_source: str = ""  # restored from the backups of this resource id
    backup_time: str = ""
    resource_id: str = ""  # what AWS calls it, for ever
    kms_key_id: str = ""
    engine_version: str = ""
    stage: str = ""  # how it is kept; empty: as its tenant's stage says
    environment: str = ""  # whose platform it lives on; empty: its tenant's
    status: str = "wanted"  # wanted, present, retiring, gone
    final_snapshot: dict[str, Any] = _json(dict)  # the teardown receipt
    created_at: datetime = _time(nullable=False)


class TenantEvent(SQLModel, table=True):
    """History: what changed, when, by whom, in which operation."""

    __tablename__ = "tenant_event"
    __table_args__ = (Index("tenant_event_tenant", "tenant_uid", "seq"),)

    seq: int | None = _sequence()
    tenant_uid: str = Field(foreign_key="tenant.uid")
    at: datetime = _time(nullable=False)
    actor: str
    operation_id: str | None = None
    what: str
    before: dict[str, Any] = _json(dict)
    after: dict[str, Any] = _json(dict)


class Platform(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("blueprint", "environment", "cell"),)

    workspace_id: str = Field(primary_key=True)
    blueprint: str
    environment: str
    cell: str
    region: str
    phase: str = "requested"
    outputs: dict[str, Any] = _json(dict)
    outputs_version: int = 0
    template_version: str = ""
    options: dict[str, Any] = _json(dict)
    updated_at: datetime = _time(nullable=False)


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

    seq: int | None = _sequence()
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
    not_before: datetime | None = _time()  # a back-off or a window
    stage: str = ""  # the step that is being done, for people
    waiting_for: str = ""  # why it is not going on
    next_command: str = ""  # what unblocks it
    priority: int = 10  # lower goes first; bulk changes use higher numbers
    payload: dict[str, Any] = _json(dict)  # frozen when accepted
    requested_by: str
    reason: str = ""
    request_id: str = ""
    wave_id: str | None = Field(default=None, index=True)
    attempt: int = 1
    cancel_requested: str = ""  # who asked; polled by running steps
    cancel_insist: bool = False
    plan_id: str | None = None
    cost_before: Decimal | None = Field(default=None, sa_type=Money)
    cost_after: Decimal | None = Field(default=None, sa_type=Money)
    policy: list[Any] = _json(list)
    response: dict[str, Any] = _json(dict)
    error: dict[str, Any] = _json(dict)
    outcome: list[Any] = _json(list)  # what was done, resource by resource
    imports: list[Any] = _json(list)  # [address, id] of what exists in AWS and has to be adopted
    created_at: datetime = _time(nullable=False)
    started_at: datetime | None = _time()
    ended_at: datetime | None = _time()
    expires_at: datetime | None = _time()  # of a waiting approval


class OperationEvent(SQLModel, table=True):
    """The story, line by line: every door tells it from here (SSE offsets are `seq`)."""

    __tablename__ = "operation_event"
    __table_args__ = (Index("operation_event_operation", "operation_id", "seq"),)

    seq: int | None = _sequence()
    operation_id: str
    at: datetime = _time(nullable=False)
    type: str  # status, step, plan, warning, …
    step: str = ""
    text: str = ""
    data: dict[str, Any] = _json(dict)


class Plan(SQLModel, table=True):
    """A masked plan and what binds it. One apply uses it up."""

    id: str = Field(primary_key=True)
    operation_id: str = Field(index=True)
    run_id: str
    meaning: str
    binding: str
    render_digest: str
    summary: dict[str, Any] = _json(dict)  # counts, actions, forecast
    changes: list[Any] = _json(list)  # masked resource changes
    consumed_by: str | None = None  # the run id of the one apply
    consumed_at: datetime | None = _time()
    created_at: datetime = _time(nullable=False)


class Approval(SQLModel, table=True):
    seq: int | None = _sequence()
    operation_id: str = Field(index=True)
    meaning: str
    actor: str
    decision: str  # approve, reject, policy
    reason: str = ""
    voided: str = ""  # why it no longer counts
    at: datetime = _time(nullable=False)


class Run(SQLModel, table=True):
    """One Terraform run. Written by its supervisor with plain SQL; times are seconds since 1970."""

    id: str = Field(primary_key=True)
    operation_id: str = Field(index=True)
    workspace_id: str = Field(index=True)
    verb: str
    status: str = "ordered"  # ordered, claimed, running, ended, lost
    host: str = ""
    pid: int = 0
    supervisor: str = ""  # token of the supervisor that claimed it
    lease_until: float = 0
    interrupt_requested: str = ""  # "", "ask", "insist"
    interrupted: bool = False
    timed_out: bool = False
    exit_code: int | None = None
    state_serial: int | None = None
    lock_id: str = ""  # of Terraform's own state lock, where one was taken
    details: dict[str, Any] = _json(dict)  # the rest of the order: folder, plan_run, touches_database, …
    ordered_at: float = 0
    started_at: float = 0
    ended_at: float = 0


class RunLine(SQLModel, table=True):
    """One redacted line; `number` counts from 1 within its run."""

    __tablename__ = "run_line"

    run_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: float
    stream: str
    text: str


class Artifact(SQLModel, table=True):
    """An encrypted file of a run: plan, plan JSON, lock file."""

    run_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    key_id: str
    wrapped: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    sha256: str  # of the clear content
    created_at: float


class StateVersion(SQLModel, table=True):
    """Every serial of every state, encrypted. The highest serial of the newest lineage is the state."""

    __tablename__ = "state_version"
    __table_args__ = (UniqueConstraint("workspace_id", "lineage", "serial", "sha256"),)

    seq: int | None = _sequence()
    workspace_id: str = Field(index=True)
    lineage: str
    serial: int
    key_id: str
    wrapped: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    sha256: str
    run_id: str = ""
    written_by: str = ""
    created_at: float


class StateLock(SQLModel, table=True):
    """A lock of Terraform's http backend, or of one of our runs."""

    __tablename__ = "state_lock"

    workspace_id: str = Field(primary_key=True)
    lock_id: str
    holder: str  # run:<id> or person:<name>
    info: dict[str, Any] = _json(dict)
    taken_at: float


class WorkerLease(SQLModel, table=True):
    __tablename__ = "worker_lease"

    executor_id: str = Field(primary_key=True)
    host: str
    pid: int
    lease_until: float  # on the database's clock
    started_at: float


class AuditEntry(SQLModel, table=True):
    """Append-only; each entry carries the hash of the one before it."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("audit_entry_subject", "subject", "seq"),
        Index("audit_entry_actor", "actor", "seq"),
    )

    seq: int | None = _sequence()
    at: datetime = _time(nullable=False)
    actor: str
    action: str
    subject: str
    reason: str = ""
    request_id: str = ""
    origin: str = ""
    before: dict[str, Any] = _json(dict)
    after: dict[str, Any] = _json(dict)
    previous: str
    digest: str = Field(unique=True)


class Token(SQLModel, table=True):
    id: str = Field(primary_key=True)
    name: str
    digest: str = Field(unique=True)
    role: str
    tenants: list[Any] = _json(list)  # empty: every tenant
    created_by: str
    created_at: datetime = _time(nullable=False)
    expires_at: datetime | None = _time()
    revoked_at: datetime | None = _time()
    last_used_at: datetime | None = _time()


class User(SQLModel, table=True):
    __tablename__ = "person"

    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    role: str
    tenants: list[Any] = _json(list)
    created_at: datetime = _time(nullable=False)


class IdempotencyKey(SQLModel, table=True):
    __tablename__ = "idempotency_key"

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str  # of method, path and body
    status_code: int
    answer: dict[str, Any] = _json(dict)
    headers: dict[str, Any] = _json(dict)
    created_at: datetime = _time(nullable=False)


class Wave(SQLModel, table=True):
    id: str = Field(primary_key=True)
    kind: str
    status: str  # running, paused, aborted, done
    selector: str = ""
    size: int
    canary: int = 0
    abort_after_percent: Decimal | None = Field(default=None, sa_type=Money)
    payload: dict[str, Any] = _json(dict)
    requested_by: str
    reason: str = ""
    note: str = ""  # why it paused or aborted
    created_at: datetime = _time(nullable=False)
    ended_at: datetime | None = _time()


class WaveItem(SQLModel, table=True):
    __tablename__ = "wave_item"

    wave_id: str = Field(primary_key=True, foreign_key="wave.id")
    position: int = Field(primary_key=True)
    tenant_uid: str
    tenant_slug: str
    operation_id: str | None = Field(default=None, index=True)
    status: str = "waiting"  # waiting, started, or the operation's final status, or refused
    detail: str = ""


class Window(SQLModel, table=True):
    """A change window; deny wins."""

    __tablename__ = "change_window"

    id: str = Field(primary_key=True)
    name: str
    effect: str  # allow, deny, sleep
    cron: str
    minutes: int
    zone: str = "UTC"
    selector: str = ""
    created_by: str
    created_at: datetime = _time(nullable=False)


class PolicyOverride(SQLModel, table=True):
    __tablename__ = "policy_override"

    id: str = Field(primary_key=True)
    rule: str
    tenant_uid: str | None = None
    person: str
    reason: str
    expires_at: datetime = _time(nullable=False)
    created_at: datetime = _time(nullable=False)
