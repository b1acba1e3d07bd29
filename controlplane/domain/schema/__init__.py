"""A tenant's part of a shared database: one schema, the role that owns it, and two logins that take turns.

Names carry the uid alone: PostgreSQL shows every login the names of all schemas and roles, so a customer's
slug is none of them. Their length is fixed, so no name is the beginning of another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.domain.names import TenantUid, parse_uid

NAMES = "^t_[a-z][a-z0-9]{7}(_owner|_a|_b)?$"  # of every tenant's schema and roles
VARIANT = "schema"  # of an operation: the way it goes for a tenant that is a schema


@dataclass(frozen=True)
class Limits:
    """What one tenant's login may take of a database that all share. Time-outs are where a session begins;
    it may set others for itself, but not more connections."""

    connections: int = 10  # of each login: the pool that the blueprints' functions have
    statement_seconds: int = 30
    idle_in_transaction_seconds: int = 60
    lock_seconds: int = 10


@dataclass(frozen=True)
class Space:
    """The names of one tenant's part."""

    uid: TenantUid
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        parse_uid(self.uid)

    @property
    def schema(self) -> str:
        return f"t_{self.uid}"

    @property
    def owner(self) -> str:
        """Owns what is in the schema, and logs in nowhere."""
        return f"{self.schema}_owner"

    @property
    def logins(self) -> tuple[str, str]:
        """One is used, the other one waits for the next rotation."""
        return f"{self.schema}_a", f"{self.schema}_b"

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.owner, *self.logins)
