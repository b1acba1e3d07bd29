"""What the runner needs of the catalog; `store.runs.Runs` and `store.states.States` are that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from controlplane.ports import RunLine, RunOrder


class RunRow(Protocol):
    id: str
    operation_id: str
    workspace_id: str
    verb: str
    status: str
    host: str
    supervisor: str
    lease_until: float
    interrupted: bool
    timed_out: bool
    exit_code: int | None
    state_serial: int | None
    details: dict[str, Any]
    started_at: float
    ended_at: float


class RunRecords(Protocol):
    def order(self, order: RunOrder) -> bool: ...

    def find(self, run_id: str) -> RunRow | None: ...

    def lines(self, run_id: str, after: int = 0, limit: int = 500) -> list[RunLine]: ...

    def tail(self, run_id: str, count: int = 40) -> list[str]: ...

    def ask_to_stop(self, run_id: str, *, insist: bool) -> None: ...

    def declare_lost(self, run_id: str, supervisor: str) -> bool: ...

    def artifact(self, run_id: str, name: str) -> bytes: ...

    def artifact_digest(self, run_id: str, name: str) -> str | None: ...

    def host_lives(self, host: str) -> bool: ...

    def now(self) -> float: ...


class StateRow(Protocol):
    @property
    def lineage(self) -> str: ...

    @property
    def serial(self) -> int: ...

    @property
    def sha256(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class HolderRow(Protocol):
    @property
    def lock_id(self) -> str: ...

    @property
    def holder(self) -> str: ...


class StateRecords(Protocol):
    def newest(self, workspace: str) -> StateRow | None: ...

    def head(self, workspace: str) -> StateRow | None: ...

    def holds(self, workspace: str, sha256: str) -> bool: ...

    def put(self, workspace: str, content: bytes, *, written_by: str, run_id: str = "") -> StateRow: ...

    def lock(
        self, workspace: str, lock_id: str, holder: str, info: Mapping[str, Any] | None = None
    ) -> None: ...

    def unlock(self, workspace: str, lock_id: str) -> None: ...

    def release_of_run(self, run_id: str, why: str) -> bool: ...

    def publish(self, workspace: str, run_id: str, *, over: bool) -> None: ...

    def lock_holder(self, workspace: str) -> HolderRow | None: ...
