"""What steps work with: the ports, the catalog's database, facts and limits. The program's one global."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from controlplane.catalog import Catalog
from controlplane.domain.migration.smoke import SmokeChecks
from controlplane.domain.policy.decision import DEFAULT, Policy
from controlplane.domain.tracing import SILENCE, Tracer
from controlplane.ports import Ports
from controlplane.store.database import Database


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """Installed once, by the composition root or by a test, before anything runs."""

    ports: Ports
    db: Database
    catalog: Catalog
    folders: Path  # of rendered workspaces
    now: Callable[[], datetime] = utc_now
    guard: Callable[[], None] = lambda: None  # returns once a watchdog over fences lives, or raises
    poll_seconds: float = 0.5
    approval_days: int = 7
    two_person: bool = True
    steady_seconds: float = 60.0  # for which a copy has to follow closely before anybody is fenced
    tls: str = "verify-full"  # how we log in to tenants' databases
    policy: Policy = DEFAULT
    tracer: Tracer = SILENCE
    smoke: Mapping[str, SmokeChecks] = field(default_factory=dict)  # by blueprint, what follows a switch
    prices: Path | None = None  # where the price books are that somebody took
    plan_timeout_seconds: int = 900
    apply_timeout_seconds: int = 7200


_installed: list[World] = []
_acting: ContextVar[World | None] = ContextVar("acting", default=None)


def install(world: World) -> None:
    _installed[:] = [world]


def world() -> World:
    found = _acting.get()
    if found is not None:
        return found
    if not _installed:
        raise RuntimeError("no world is installed: the composition root has not run")
    return _installed[0]


@contextmanager
def standing_in(other: World) -> Iterator[None]:
    """Within it this is the world: for a rehearsal, whose catalog is a transaction that is taken back."""
    token = _acting.set(other)
    try:
        yield
    finally:
        _acting.reset(token)


@contextmanager
def acting_for(operation_id: str) -> Iterator[None]:
    """Within it AWS is called under the operation's name. An effect within an effect acts for the first."""
    here = world()
    if _acting.get() is None:
        here = replace(here, ports=replace(here.ports, cloud=here.ports.cloud.acting_for(operation_id)))
    token = _acting.set(here)
    try:
        yield
    finally:
        _acting.reset(token)
