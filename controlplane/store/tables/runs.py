"""Terraform runs, what they leave, the states, and who works."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from controlplane.store.columns import document, sequence


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
    details: dict[str, Any] = document(dict)  # the rest of the order: folder, plan_run, touches_database, …
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

    seq: int | None = sequence()
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
    published_at: float | None = None  # in the bucket that people read, where there is one


class StateLock(SQLModel, table=True):
    """A lock of Terraform's http backend, or of one of our runs."""

    __tablename__ = "state_lock"

    workspace_id: str = Field(primary_key=True)
    lock_id: str
    holder: str  # run:<id> or person:<name>
    info: dict[str, Any] = document(dict)
    taken_at: float


class WorkerLease(SQLModel, table=True):
    __tablename__ = "worker_lease"

    executor_id: str = Field(primary_key=True)
    cell: str = ""  # of several; "": there is one
    host: str
    pid: int
    lease_until: float  # on the database's clock
    started_at: float
