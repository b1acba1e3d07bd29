"""What is known of a database that moves: what stands in the way, what goes on in it, how far the copy is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Obstacle:
    """Something on a database that stands in a migration's way."""

    name: str
    detail: str
    hint: str = ""
    blocks: bool = True  # False: to be known and acknowledged


@dataclass(frozen=True)
class Activity:
    """What goes on in a database: a fenced one is drained when it is `quiet`."""

    sessions: int  # of logins that a fence closes
    open_logins: Sequence[str]  # of them, those that may still log in
    longest_transaction_seconds: float
    prepared: Sequence[str]
    wal_position: str

    @property
    def quiet(self) -> bool:
        return not (self.sessions or self.open_logins or self.prepared)


@dataclass(frozen=True)
class Replication:
    """How far one direction of logical replication is."""

    exists: bool  # publication, slot and subscription
    enabled: bool = False
    tables: int = 0  # that are published
    tables_ready: int = 0  # of them, copied and following
    slot_active: bool = False
    lag_bytes: int | None = None  # None: not known
    retained_bytes: int | None = None  # kept by the slot on the publisher's disk
    errors: int = 0  # since the subscription was made, where the server counts them

    @property
    def caught_up(self) -> bool:
        return self.exists and self.slot_active and self.tables_ready == self.tables and self.lag_bytes == 0


@dataclass(frozen=True)
class SlotLook:
    """What a publisher alone knows of one direction. Positions count the bytes of log since its beginning."""

    exists: bool
    active: bool = False  # somebody reads from it
    lag_bytes: int | None = None  # None: not known
    retained_bytes: int | None = None  # of log, kept on the publisher's disk
    is_lost: bool = False  # the server threw away what it needs
    written: int | None = None  # to where the publisher has written
    confirmed: int | None = None  # to where the other side has everything


@dataclass(frozen=True)
class Check:
    id: str  # V0 … V6
    name: str
    passed: bool
    detail: str  # what was compared, or the first differences


@dataclass(frozen=True)
class Redeployment:
    """A service whose tasks begin anew, or why they do not."""

    begun: bool
    detail: str


@dataclass(frozen=True)
class Page:
    """What an URL answered; no status: it did not, and why."""

    status: int | None
    text: str = ""  # of its body, the beginning
    problem: str = ""


@dataclass(frozen=True)
class Verification:
    """Two databases compared, while no application writes to either."""

    checks: Sequence[Check]
    digest: str  # of what was compared and how it ended

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)
