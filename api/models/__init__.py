"""What is answered, for the OpenAPI document. Answers are made by services; a test holds both together."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from controlplane.domain.operation import Kind, Status
from controlplane.domain.tenant import CustomerClass, MigrationState, Phase, Size, Stage

Json = dict[str, Any]


class View(BaseModel):
    """More fields may come; those that are here stay."""

    model_config = ConfigDict(extra="allow")


class FieldProblem(View):
    field: str
    message: str


class Problem(View):
    """RFC 9457."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:controlplane:problem:conflict",
                "title": "Conflict",
                "status": 409,
                "detail": "acme is held by token:ops's resize, op-1m7w8khsd95yez71 (planning)",
                "instance": "/v1/tenants/acme/resize",
                "code": "conflict",
                "request_id": "req-1m7w8khsd95yez71",
                "errors": [],
                "retryable": False,
                "hint": "controlplane operation show op-1m7w8khsd95yez71",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem]
    retryable: bool
    hint: str = ""
    details: Json = Field(default_factory=dict)


class Tenant(View):
    slug: str
    uid: str
    display_name: str
    stage: Stage
    size: Size
    region: str
    cell: str
    environment: str
    blueprint: str
    storage_gb: int
    locations: int
    users: int
    paying: bool
    sla: bool
    sensitive: bool
    labels: dict[str, str]
    customer_class: CustomerClass
    cost_tier: str
    monthly_usd: str | None
    phase: Phase
    phase_reason: str
    unverified: bool
    migration_state: MigrationState
    endpoint: str
    port: int
    epoch: int
    generation: int
    observed_generation: int
    template_version: str
    revision: int
    spec_commit: str
    created_at: str
    updated_at: str
    ready_at: str | None
    torn_down_at: str | None


class Page(View):
    next_page_token: str | None


class TenantPage(Page):
    items: list[Tenant]


class Metadata(View):
    stage: str
    progress: list[Json]
    queue_position: int | None
    holder: str | None  # the operation that holds the workspace, or goes first
    waiting_for: str
    next_command: str


class Operation(View):
    """A long operation as in AIP-151: once done it has exactly one of `response` and `error`."""

    id: str
    kind: Kind
    tenant: str | None
    workspace: str
    status: Status
    done: bool
    metadata: Metadata
    requested_by: str
    reason: str
    request_id: str
    trace: str
    review: str | None
    plan: Json | None
    cost_before: str | None
    cost_after: str | None
    policy: list[Any]
    created_at: str
    started_at: str | None
    ended_at: str | None
    expires_at: str | None
    response: Json | None = None
    error: Json | None = None
    dry_run: bool = False
    rehearsal: Json | None = None  # of a dry run: planned, would, why, note


class OperationPage(Page):
    items: list[Operation]


class Explanation(View):
    slug: str
    phase: Phase
    cause: str
    who_may_act: str
    next_command: str
    evidence: list[str]
    operation: str | None


class File(View):
    path: str
    text: str


class Workspace(View):
    slug: str
    workspace: str
    folder: str | None
    files: list[File]
    edits: list[Json]
    diff: str | None


class HistoryLine(View):
    offset: int
    at: str
    actor: str
    operation: str | None
    what: str
    before: Json
    after: Json


class History(Page):
    items: list[HistoryLine]


class Plan(View):
    id: str
    meaning: str
    changes: list[Json]


class Event(View):
    offset: int
    at: str
    type: str
    step: str
    text: str
    data: Json


class Events(Page):
    items: list[Event]


class LogLine(View):
    run: str
    verb: str
    at: str
    stream: str
    text: str


class Log(Page):
    items: list[LogLine]
    cursor: str


class BatchItem(View):
    slug: str
    accepted: bool
    operation: str | None
    problem: Json | None


class BatchResult(Page):
    items: list[BatchItem]
    accepted: int
    refused: int


class Blueprint(View):
    name: str
    title: str
    template_version: str
    tenancy: str
    verbs: list[str]
    environments: list[str]
    platforms: list[Json]


class BlueprintPage(Page):
    items: list[Blueprint]


class Checklist(View):
    """`by` is `rendering`, a person, or empty while an item is open; then `needs` says what is wanted."""

    blueprint: str
    environment: str
    open: int
    items: list[Json]


class Token(View):
    """`secret` stands in the answer to its creation only."""

    id: str
    name: str
    role: str
    tenants: list[str]
    created_by: str
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    state: str


class IssuedToken(Token):
    secret: str


class TokenPage(Page):
    items: list[Token]


class User(View):
    id: str
    name: str
    role: str
    tenants: list[str]
    created_at: str


class UserPage(Page):
    items: list[User]


class Window(View):
    id: str
    name: str
    effect: str
    cron: str
    minutes: int
    zone: str
    selector: str
    created_by: str
    created_at: str


class WindowPage(Page):
    items: list[Window]


class AuditEntry(View):
    seq: int
    at: str
    actor: str
    action: str
    subject: str
    reason: str
    request_id: str
    origin: str
    before: Json
    after: Json
    previous: str
    digest: str


class AuditPage(Page):
    items: list[AuditEntry]


class AuditVerdict(View):
    good: bool
    entries: int
    head: str
    broken_seq: int | None
    why: str
    exported: int


class Checked(View):
    name: str
    state: str
    found: str
    hint: str


class Examination(Page):
    items: list[Checked]
    good: bool


class Removed(View):
    id: str


class Wave(View):
    id: str
    kind: Kind
    status: str
    selector: str
    size: int
    canary: int
    abort_after_percent: str | None
    requested_by: str
    reason: str
    note: str
    created_at: str
    ended_at: str | None


class WavePage(Page):
    items: list[Wave]


class WaveItem(View):
    position: int
    tenant: str
    operation: str | None
    status: str
    detail: str


class WaveInFull(Wave):
    counts: dict[str, int]
    items: list[WaveItem]


class Version(View):
    name: str
    version: str
    catalog_revision: str
    api: str


class Ready(View):
    status: str
    catalog_revision: str
    missing: list[str]  # keeps work from being done, not questions from being answered
