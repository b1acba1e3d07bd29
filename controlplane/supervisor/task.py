"""What a supervisor is told, as JSON on its stdin: secrets never stand in its arguments or environment."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

STATE_PATH = ".run/terraform.tfstate"  # relative to the workspace; see `runner_override.tf`
LOCK_INFO_PATH = ".run/.terraform.tfstate.lock.info"
ERRORED_PATH = "errored.tfstate"  # where Terraform puts a state that it could not write
LOCK_FILE = ".terraform.lock.hcl"
OVERRIDE_FILE = "runner_override.tf"  # the local backend of a run; there while one goes on, and no longer

PLAN, PLAN_JSON, LOCK = "plan", "plan.json", "lock"  # names of artifacts


class RunFolder:
    """The files of one run, outside of the workspace; gone when the run is over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.supervisor_lock = path / "run.sup"
        self.terraform_lock = path / "run.tf"  # its content: the pid of Terraform
        self.log = path / "terraform.log"
        self.plan = path / "plan"
        self.plan_json = path / "plan.json"
        self.errors = path / "supervisor.log"


class Key(NamedTuple):
    """One data key seals everything that this run stores."""

    id: str
    plain: bytes
    wrapped: bytes


class Task(NamedTuple):
    run_id: str
    workspace_id: str
    token: str  # of this supervisor, in the run's row
    host: str
    database: str  # URL
    folder: str  # of the workspace
    run_folder: str
    commands: list[list[str]]  # each goes on only where the one before found changes (exit code 2)
    environment: dict[str, str]  # Terraform's whole environment
    known: list[str]  # secret values, to be redacted
    key: Key
    touches_database: bool
    timeout_seconds: float
    lineage: str = ""  # of the durable state; empty: there is none yet
    state_sha256: str = ""  # of the state that lies in the folder and is stored already
    notes: list[str] = []  # noqa: RUF012 - lines to begin with
    slots: list[list[str]] = []  # noqa: RUF012 - groups of lock files, see locks.Slots
    ticket: str = ""  # the file of this run's place in the line before them
    attach: bool = False  # take up a run whose supervisor died
    descriptors: list[int] = []  # noqa: RUF012 - inherited locks: of the supervisor, of the workspace
    lease_seconds: float = 30.0
    grace_seconds: tuple[float, float] = (60.0, 30.0)  # after SIGINT, after SIGTERM
    keep_trying_seconds: float = 6 * 3600.0  # to write down the end while the database is away


def dump(task: Task) -> str:
    fields: dict[str, Any] = task._asdict()
    encoded = [base64.b64encode(part).decode() for part in (task.key.plain, task.key.wrapped)]
    fields["key"] = [task.key.id, *encoded]
    return json.dumps(fields)


def load(text: str) -> Task:
    fields = json.loads(text)
    key_id, plain, wrapped = fields["key"]
    fields["key"] = Key(key_id, base64.b64decode(plain), base64.b64decode(wrapped))
    fields["grace_seconds"] = tuple(fields["grace_seconds"])
    return Task(**fields)
