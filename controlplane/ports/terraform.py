"""Terraform: runs that change something, and plans that only look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from controlplane.domain.names import OperationId, RunId, WorkspaceId


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
    priority: int = 10  # lower goes first where runs wait for a seat

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


@dataclass(frozen=True)
class PlanWanted:
    """A workspace to be planned and left alone; its state is found by its name."""

    workspace: WorkspaceId
    files: Mapping[str, str] = field(repr=False)
    destroy: bool = False
    may_be_new: bool = False  # without a state all of it would be made; otherwise that is a problem


@dataclass(frozen=True)
class PlanFound:
    """`document`: `terraform show -json`, in clear; never kept. None: it could not be planned, and why."""

    workspace: WorkspaceId
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True)
class PublicState:
    """A state as everybody reads it, and what names exactly this version of it."""

    content: bytes = field(repr=False)
    version: str


class StateBucket(Protocol):
    """Where plain Terraform finds states and locks: one of each for a workspace, laid out as its `s3` backend
    does."""

    def read(self, workspace: str) -> PublicState | None: ...

    def write(self, workspace: str, content: bytes, over: str) -> None:
        """In the place of this version; empty: of none. Conflict when another one stands there."""
        ...

    def lock(self, workspace: str, info: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take the lock unless somebody has it; whose it is now. Taking it again under its `ID` is fine."""
        ...

    def lock_there(self, workspace: str) -> Mapping[str, Any]:
        """Whose the lock is; empty: nobody's."""
        ...

    def unlock(self, workspace: str, lock_id: str) -> None:
        """Free the lock that has this id, and no other."""
        ...

    def place(self, workspace: str) -> str:
        """As people name it."""
        ...


class PlanSource(Protocol):
    def plans(self, wanted: Iterable[PlanWanted]) -> Iterator[PlanFound]:
        """One for each, as they are done. Nothing is locked, recorded or changed; who cannot be planned is
        named, and the others go on."""
        ...
