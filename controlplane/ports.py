"""What the product needs from the outside, as Protocols, and the one value that holds them.

Operations and steps see these only. `wiring` puts real adapters behind them, tests put fakes; the same
promises (tests/contract) run against both. Values that cross a port are small, frozen and JSON-friendly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from controlplane.domain.migration.evidence import Activity, Obstacle, Replication, Verification
from controlplane.domain.names import OperationId, RunId, WorkspaceId

if TYPE_CHECKING:  # most of what speaks to the outside never speaks of money
    from controlplane.domain.cost.book import PriceBook, Refresh
    from controlplane.domain.cost.report.bill import Bill

# --- Terraform runs ---------------------------------------------------------------------------------


class RunVerb(StrEnum):
    PLAN = "plan"  # plan -out, then show -json: two processes
    APPLY = "apply"  # apply of the saved plan of `plan_run`


class RunStatus(StrEnum):
    NEVER_STARTED = "never_started"
    RUNNING = "running"
    ENDED = "ended"  # `exit_code` is known
    LOST = "lost"  # it ran and is gone, nobody saw its end: settle


@dataclass(frozen=True)
class RunOrder:
    """One Terraform run. `run_id` is the idempotency key: a second order of it starts nothing."""

    run_id: RunId
    workspace: WorkspaceId
    operation: OperationId
    verb: RunVerb
    folder: str  # the rendered workspace
    plan_run: RunId | None = None  # APPLY: whose plan file is applied
    destroy: bool = False  # PLAN: plan the destruction of everything
    touches_database: bool = False  # APPLY: not to be signalled unless a person insists
    timeout_seconds: int = 3600
    request_id: str = ""  # whose request this comes from; the first line of its log says so

    @property
    def origin(self) -> str:
        asked = f"{self.verb} for operation {self.operation}, asked for by request {self.request_id}"
        return asked if self.request_id else ""


@dataclass(frozen=True)
class RunReport:
    run_id: RunId
    status: RunStatus
    exit_code: int | None = None  # plan: 0 empty, 2 changes; apply: 0 done
    started_at: datetime | None = None
    ended_at: datetime | None = None
    timed_out: bool = False
    interrupted: bool = False
    state_serial: int | None = None  # newest serial that is stored durably
    tail: Sequence[str] = ()  # last lines, redacted


@dataclass(frozen=True)
class RunLine:
    offset: int
    at: datetime
    stream: str  # "terraform", "error" or "supervisor"
    text: str  # redacted


class Runner(Protocol):
    """Terraform, each run in a small process of its own that outlives the worker."""

    def start(self, order: RunOrder) -> RunReport:
        """Start the run unless it was started before; after a supervisor's death attach a new one."""
        ...

    def look(self, run_id: RunId) -> RunReport: ...

    def interrupt(self, run_id: RunId, *, insist: bool = False) -> bool:
        """Ask the run to stop; False when it is an apply that touches a database and nobody insists."""
        ...

    def lines(self, run_id: RunId, after: int = 0, limit: int = 500) -> list[RunLine]: ...

    def plan_json(self, run_id: RunId) -> dict[str, Any]:
        """`terraform show -json` of an ended plan run, in clear: mask it before it is kept."""
        ...

    def binding(self, run_id: RunId) -> str:
        """Digest of plan file, state serial and lineage, and lock file: what one apply is bound to."""
        ...

    def state(self, workspace: WorkspaceId) -> dict[str, Any] | None:
        """The newest state, in clear and in memory only; None where there is none."""
        ...

    def forget(self, workspace: WorkspaceId, addresses: Sequence[str]) -> None:
        """Take these out of the state, under a new serial; what AWS has stays. Forgotten already is fine."""
        ...

    def version(self) -> str: ...


# --- AWS --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SecretRef:
    arn: str
    name: str
    created: bool  # False: it was there, with our tags


@dataclass(frozen=True)
class DatabaseInstance:
    identifier: str
    resource_id: str
    arn: str
    status: str
    instance_class: str
    engine_version: str
    storage_gb: int
    max_storage_gb: int | None
    multi_az: bool
    public: bool
    encrypted: bool
    deletion_protection: bool
    backup_retention_days: int
    endpoint: str | None
    port: int | None
    master_username: str
    kms_key_id: str | None = None
    pending: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    ca_identifier: str | None = None
    parameter_group: str | None = None
    parameter_status: str | None = None
    engine: str = "postgres"
    database_name: str | None = None  # made at birth; None: none was asked for
    log_exports: Sequence[str] = ()


@dataclass(frozen=True)
class Snapshot:
    identifier: str
    arn: str
    database: str
    status: str
    storage_gb: int
    engine_version: str
    encrypted: bool
    kms_key_id: str | None
    created_at: datetime | None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BackupWindow:
    """The automated backups of one instance, which may be gone: what a point-in-time restore can reach."""

    identifier: str
    resource_id: str
    arn: str
    kms_key_id: str | None
    storage_gb: int
    earliest: datetime | None  # None: nothing can be restored yet
    latest: datetime | None


class Cloud(Protocol):
    """The AWS calls that we make ourselves. Safe to repeat: names are deterministic, "already exists"
    is answered by a look at our ownership tags, and throttling is retried with back-off inside."""

    def acting_for(self, operation: str) -> Cloud:
        """The same AWS, whose own log shows this operation as the session of what is called."""
        ...

    def identity(self) -> Mapping[str, str]:
        """Account, ARN and region that we act as."""
        ...

    def ensure_secret(self, name: str, value: str, tags: Mapping[str, str], token: str) -> SecretRef:
        """Create the secret with this value unless it is there with our tags; never overwrites."""
        ...

    def read_secret(self, name: str) -> str: ...

    def write_secret(self, name: str, value: str, token: str) -> None: ...

    def secret_exists(self, name: str) -> bool: ...

    def delete_secret(self, name: str) -> None:
        """Schedule its deletion (recovery window); gone already is fine."""
        ...

    def write_parameter(self, name: str, value: str) -> None: ...

    def read_parameter(self, name: str) -> str | None: ...

    def database(self, identifier: str) -> DatabaseInstance | None: ...

    def databases(self) -> Sequence[DatabaseInstance]:
        """The whole fleet, 100 a page."""
        ...

    def create_snapshot(self, identifier: str, database: str, tags: Mapping[str, str]) -> Snapshot: ...

    def copy_snapshot(self, source: str, identifier: str, kms_key: str, tags: Mapping[str, str]) -> Snapshot:
        """The same rows under another key."""
        ...

    def snapshot(self, identifier: str) -> Snapshot | None: ...

    def snapshots(self, database: str | None = None) -> Sequence[Snapshot]: ...

    def delete_snapshot(self, identifier: str) -> None: ...

    def backup_window(self, resource_id: str) -> BackupWindow | None:
        """Of an instance that is there, or that is gone and whose backups were kept; None: there are none."""
        ...

    def start_database(self, identifier: str) -> None: ...

    def stop_database(self, identifier: str) -> None: ...

    def peak_connections(self, identifier: str, days: int) -> int | None:
        """The most connections that CloudWatch saw; None: it has no measurement."""
        ...

    def orderable_classes(self, engine_version: str) -> frozenset[str]:
        """Instance classes that this region sells for this version of PostgreSQL."""
        ...

    def tagged_resources(self, tags: Mapping[str, str]) -> Sequence[str]:
        """ARNs of everything that carries these tags."""
        ...


# --- a tenant's PostgreSQL --------------------------------------------------------------------------


@dataclass(frozen=True)
class Login:
    """How to reach one database as one role. Never stored, never logged: repr hides the password."""

    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)
    tls: str = "verify-full"  # libpq sslmode; the sandbox uses `prefer`


@dataclass(frozen=True)
class Probe:
    reachable: bool
    detail: str = ""  # why not, without a secret
    server_version: str = ""
    latency_ms: float = 0.0
    in_recovery: bool = False


class Database(Protocol):
    """SQL on a tenant's database."""

    def probe(self, login: Login) -> Probe:
        """Log in and run a real query as the application would; never raises for an unreachable one."""
        ...

    def set_up_roles(self, master: Login, passwords: Mapping[str, str]) -> None:
        """`cp_control`, `app_owner` (no login), `app_a`, `app_b`: made or brought to these passwords."""
        ...

    def set_password(self, admin: Login, role: str, password: str) -> None: ...

    def fence(self, control: Login) -> int:
        """NOLOGIN for every application login, sessions ended until none is left; how many were ended."""
        ...

    def unfence(self, control: Login) -> None: ...

    def fingerprint(self, control: Login) -> Mapping[str, Any]:
        """Schema fingerprint, exact row counts and checksums per table."""
        ...


# --- moving a tenant's data -------------------------------------------------------------------------


class Migration(Protocol):
    """The SQL of a move between two databases. Every operation looks first and may be run again."""

    def obstacles(self, control: Login, strategy: str) -> Sequence[Obstacle]:
        """Asked of the source and, once it is there, of the target."""
        ...

    def activity(self, control: Login) -> Activity: ...

    def fenced_logins(self, control: Login) -> Sequence[str]:
        """The roles that our fence holds closed; empty: there is no fence."""
        ...

    def write_marker(self, control: Login, token: str) -> str:
        """A row whose commit flushes everything before it; returns the WAL position after it.
        Under logical replication it travels: then it is the sentinel."""
        ...

    def has_marker(self, control: Login, token: str) -> bool: ...

    def dump_schema(self, control: Login, file: str) -> None:
        """The schema, without our own, into a private file."""
        ...

    def load_schema(self, source: Login, target_master: Login, file: str) -> None:
        """Load it in one transaction, unless it is there; ends with equal schema fingerprints."""
        ...

    def copy_sequences(self, source: Login, target: Login) -> int:
        """Bring the target's sequences to the source's, or leave them past it; how many moved."""
        ...

    def freshen(self, control: Login) -> None:
        """What replication does not bring: materialized views' rows and the planner's statistics."""
        ...

    def publish(self, publisher: Login, name: str) -> None:
        """A publication of every table and a slot of that name."""
        ...

    def subscribe(self, publisher: Login, subscriber: Login, name: str, *, copy_rows: bool) -> None:
        """Follow the publication. Without `copy_rows` both sides must hold the same rows already."""
        ...

    def replication(self, publisher: Login, subscriber: Login, name: str) -> Replication: ...

    def unsubscribe(self, publisher: Login, subscriber: Login | None, name: str) -> None:
        """Take subscription, slot and publication away; None: the subscriber is gone."""
        ...

    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        """V0 to V6; V4 looks for `marker` on the target."""
        ...


# --- keys -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataKey:
    """A fresh key for one record: `plain` encrypts and is forgotten, `wrapped` is stored beside it."""

    key_id: str
    plain: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)


class Keyring(Protocol):
    def data_key(self) -> DataKey: ...

    def unwrap(self, key_id: str, wrapped: bytes) -> bytes: ...

    def key_ids(self) -> Sequence[str]:
        """All that can be unwrapped; the first is the current one."""
        ...

    def rotate(self) -> str: ...


# --- prices and bills -------------------------------------------------------------------------------


class PriceSource(Protocol):
    def refresh(self, book: PriceBook, today: date, regions: Sequence[str] = ()) -> Refresh:
        """A new dated book and what it would change; nothing is taken."""
        ...


class BillSource(Protocol):
    def billed(self, start: date, end: date) -> Bill:
        """The whole fleet's days from `start` until the day before `end`. Every page of it is paid."""
        ...


# --- what the fleet's databases do ------------------------------------------------------------------


@dataclass(frozen=True)
class MetricQuery:
    """One series of one database, as CloudWatch names metric and statistic."""

    identifier: str
    metric: str
    statistic: str
    period: int


@dataclass(frozen=True)
class Measurement:
    """Its points as they came: (seconds since 1970, value). `problem` says why there are none, or not all."""

    query: MetricQuery
    points: Sequence[tuple[float, float]] = ()
    problem: str = ""


class MetricSource(Protocol):
    def measure(
        self, queries: Iterable[MetricQuery], start: datetime, end: datetime
    ) -> Iterator[Measurement]:
        """One for each query, in their order, many in one request. Throttling is waited out; what still
        fails is the problem of its own measurements, and the others go on."""
        ...


@dataclass(frozen=True)
class AlarmMessage:
    receipt: str = field(repr=False)
    body: str


class AlarmSource(Protocol):
    """A queue of state changes of alarms. Each comes at least once, in no certain order."""

    def receive(self) -> Sequence[AlarmMessage]:
        """Some of those that wait; nothing when none does. They come again unless they are `done`."""
        ...

    def done(self, messages: Sequence[AlarmMessage]) -> None: ...


class FleetSource(Protocol):
    def databases(self, *, fresh: bool = False) -> Sequence[DatabaseInstance]:
        """All of them, as seen within the last half minute, or now."""
        ...


class QuotaSource(Protocol):
    def quotas(self) -> Sequence[QuotaFigure]:
        """What AWS says of the account in its region; what it does not answer is left out."""
        ...


@dataclass(frozen=True)
class QuotaFigure:
    name: str  # as in the catalog
    limit: int
    used: int | None = None


# --- what Terraform would do, without doing it ------------------------------------------------------


@dataclass(frozen=True)
class PlanWanted:
    """A workspace to be planned and left alone; its state is found by its name."""

    workspace: WorkspaceId
    files: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class PlanFound:
    """`document`: `terraform show -json`, in clear; never kept. None: it could not be planned, and why."""

    workspace: WorkspaceId
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: str = ""


class PlanSource(Protocol):
    def plans(self, wanted: Iterable[PlanWanted]) -> Iterator[PlanFound]:
        """One for each, as they are done. Nothing is locked, recorded or changed; who cannot be planned is
        named, and the others go on."""
        ...


class Notifier(Protocol):
    def notify(self, event: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True)
class Ports:
    """Everything outside, in one value: `wiring` fills it with adapters, a test with fakes."""

    runner: Runner
    cloud: Cloud
    database: Database
    keyring: Keyring
    notifier: Notifier
    migration: Migration
