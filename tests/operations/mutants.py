"""Moves that do one thing wrongly, at the ports: what the proof has to see, or it proves nothing.

The source is the database of `e1`, the target that of `e2`. Unless a mutant is `Compared`, nothing is
compared before its switch: the product's own look at the rows would hide that the oracle is blind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from controlplane.adapters.postgres import Connector, MigrationSql, Postgres
from controlplane.domain.migration.evidence import Activity, Check, Verification
from controlplane.ports import Login

_SUBSCRIPTIONS = (
    "SELECT subname FROM pg_subscription WHERE subdbid ="
    " (SELECT oid FROM pg_database WHERE datname = current_database())"
)
SKIPPED = Verification((Check("V0", "nothing was compared", True, ""),), "none")


@dataclass
class Site:
    """Where both databases are, and what a mutant remembers of its move."""

    where: Mapping[str, Mapping[str, Any]]
    programs: Path
    source: Login | None = None

    def is_source(self, login: Login) -> bool:
        return login.port == self.where["e1"]["port"] and login.host == self.where["e1"]["host"]

    def admin(self, epoch: str) -> psycopg.Connection[Any]:
        at = self.where[epoch]
        facts = {name: at[name] for name in ("host", "port", "user", "password")}
        return psycopg.connect(**facts, dbname=at["database"], connect_timeout=10)

    def stall_target(self) -> None:
        """Nothing arrives any more: a link that is slow enough. On a fast one nobody would notice."""
        with self.admin("e2") as connection:
            connection.autocommit = True
            for (name,) in connection.execute(_SUBSCRIPTIONS).fetchall():
                connection.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(sql.Identifier(name)))


class Database(Postgres):
    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site

    def fence(self, control: Login) -> int:
        if not self.site.is_source(control):
            return super().fence(control)
        self.site.source = control
        return self.fence_source(control)

    def fence_source(self, control: Login) -> int:
        return super().fence(control)


class Compared(MigrationSql):
    def __init__(self, site: Site) -> None:
        super().__init__(Connector(), site.programs)
        self.site = site


class Unverified(Compared):
    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        return SKIPPED


class NeverBusy(Unverified):
    """Believes that nobody is there."""

    def activity(self, control: Login) -> Activity:
        return Activity(0, (), 0.0, (), "0/0")


class NoFence(Database):
    def fence_source(self, control: Login) -> int:
        return 0


class NoTerminate(Database):
    """Closes the logins, and leaves who is in."""

    def fence_source(self, control: Login) -> int:
        with Connector().open(control, "closing logins") as connection:
            connection.execute("ALTER ROLE app_a NOLOGIN")
            connection.execute("ALTER ROLE app_b NOLOGIN")
        return 0


class LateFence(NoFence):
    """Behind the switch."""

    def unfence(self, control: Login) -> None:
        if not self.site.is_source(control) and self.site.source is not None:
            Postgres().fence(self.site.source)
        super().unfence(control)


class Stalled(Database):
    """A sound fence; but what was not copied by then stays behind."""

    def fence_source(self, control: Login) -> int:
        self.site.stall_target()
        time.sleep(0.3)  # in which writers go on
        return super().fence_source(control)


class NoDrain(Compared):
    """Does not wait for the last rows."""

    def has_marker(self, control: Login, token: str) -> bool:
        return not self.site.is_source(control) or super().has_marker(control, token)


class NoDrainUnverified(NoDrain):
    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        return SKIPPED


class NoSequences(Unverified):
    def copy_sequences(self, source: Login, target: Login) -> int:
        return 0


class LiftedEarly(Unverified):
    """Opens the source again while the switch is still to come, and nobody takes the switch away."""

    def publish(self, publisher: Login, name: str) -> None:
        if not self.site.is_source(publisher) and self.site.source is not None:
            Postgres().unfence(self.site.source)
        super().publish(publisher, name)


class Hole(Compared):
    """A row that arrived is gone again."""

    def copy_sequences(self, source: Login, target: Login) -> int:
        with self.site.admin("e2") as connection:
            connection.execute("DELETE FROM public.ledger WHERE id = (SELECT min(id) FROM public.ledger)")
        return super().copy_sequences(source, target)


class HoleUnverified(Hole):
    def verify(self, source: Login, target: Login, marker: str = "") -> Verification:
        return SKIPPED


class NoReverse(Unverified):
    """Says that rows are sent back, and sends none."""

    def publish(self, publisher: Login, name: str) -> None:
        if self.site.is_source(publisher):
            super().publish(publisher, name)

    def subscribe(self, publisher: Login, subscriber: Login, name: str, *, copy_rows: bool) -> None:
        if self.site.is_source(publisher):
            super().subscribe(publisher, subscriber, name, copy_rows=copy_rows)

    def has_marker(self, control: Login, token: str) -> bool:
        return self.site.is_source(control) or super().has_marker(control, token)


Ports = Callable[[Site], tuple[Postgres, MigrationSql]]
# What the writers' oracle has to see.
LOSING: Mapping[str, Ports] = {
    "no fence": lambda site: (NoFence(site), NeverBusy(site)),
    "no terminate": lambda site: (NoTerminate(site), NeverBusy(site)),
    "switch before fence": lambda site: (LateFence(site), NeverBusy(site)),
    "no drain": lambda site: (Stalled(site), NoDrainUnverified(site)),
    "no sequences": lambda site: (Database(site), NoSequences(site)),
    "lifted before the switch": lambda site: (Database(site), LiftedEarly(site)),
    "not verified": lambda site: (Database(site), HoleUnverified(site)),
}
# What the product sees by itself: it never switches.
REFUSED: Mapping[str, Ports] = {
    "no drain, compared": lambda site: (Stalled(site), NoDrain(site)),
    "a hole, compared": lambda site: (Database(site), Hole(site)),
}
MUTANTS: Mapping[str, Ports] = {
    **LOSING,
    **REFUSED,
    "open before reverse": lambda site: (Database(site), NoReverse(site)),
}
