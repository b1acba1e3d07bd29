"""SQL: on a tenant's database, and between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from controlplane.domain.migration.evidence import Activity, Obstacle, Replication, SlotLook, Verification
from controlplane.domain.schema import Space


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


@dataclass(frozen=True)
class SchemaExport:
    """What a dump of one schema holds; written only when all of it was read."""

    tables: Mapping[str, int]  # rows by table
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class SchemaState:
    is_there: bool
    left_out: str = ""  # what of the tenant's a dump of its schema would not hold


class Schemas(Protocol):
    """Tenants that are schemas of a database that they share. Every call may be made again."""

    def make(self, master: Login, space: Space, passwords: Mapping[str, str]) -> None:
        """Schema, owner and logins with these passwords, and nothing but that schema for them. Raises
        unless both hold in the end."""
        ...

    def set_password(self, master: Login, space: Space, login: str, password: str) -> None: ...

    def look(self, master: Login, space: Space) -> SchemaState: ...

    def close(self, master: Login, space: Space) -> int:
        """From here on nobody but the master reads or writes in it; how many sessions were ended."""
        ...

    def export(self, master: Login, space: Space, file: str) -> SchemaExport:
        """Everything in a schema that is closed, as a file that pg_restore reads."""
        ...

    def drop(self, master: Login, space: Space) -> None:
        """The schema with all that is in it, and its roles; gone already is fine."""
        ...


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

    def slot(self, publisher: Login, name: str) -> SlotLook:
        """The publisher's part of it, whether its subscriber answers or not."""
        ...

    def unsubscribe(self, publisher: Login, subscriber: Login | None, name: str) -> None:
        """Take subscription, slot and publication away; None: the subscriber does not answer, and whoever
        still reads for it is ended."""
        ...

    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        """V0 to V6; V4 looks for `marker` on the target."""
        ...

    def try_sql(self, control: Login, statements: str, seconds: int) -> str:
        """Run them with the application's rights, changing nothing: why they fail, or empty. The last
        answer, where there is one, has a row that does not begin with false."""
        ...

    def shape(self, control: Login) -> Mapping[str, str]:
        """What the database is made of, as digests; none of its rows is read."""
        ...

    def examine(self, copy: Login, shape: Mapping[str, str]) -> Verification:
        """A restored copy by itself: of this shape, every row readable, sequences leading, writable."""
        ...
