"""Where runs run on this host: folders, locks, seats, and which host this is."""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from controlplane.adapters.terraform.files import make_folder, write_whole
from controlplane.supervisor.locks import hold
from controlplane.supervisor.task import RunFolder

_GIB_A_PROCESS = 0.8


@dataclass(frozen=True)
class RunnerPlace:
    data_dir: Path
    database_url: str
    slots: int  # Terraform processes that may work at a time
    host: str = ""  # empty: this host's name and the data folder's id
    lease_seconds: float = 30.0
    grace_seconds: tuple[float, float] = (60.0, 30.0)  # after SIGINT, after SIGTERM
    wait_seconds: float = 10.0  # for the run before on the same workspace to tidy up

    @cached_property
    def data(self) -> Path:
        return self.data_dir.absolute()

    @cached_property
    def host_identity(self) -> str:
        return self.host or host_identity(self.data)

    @cached_property
    def absolute_url(self) -> str:
        """A supervisor works elsewhere: a relative SQLite path is made absolute."""
        scheme, separator, path = self.database_url.partition(":///")
        if not scheme.startswith("sqlite"):
            return self.database_url
        return f"sqlite{separator}{Path(path.partition('?')[0]).absolute()}"

    @property
    def runs(self) -> Path:
        return self.data / "runs"

    def folder(self, run_id: str) -> RunFolder:
        return RunFolder(self.runs / run_id)

    def hold_run(self, run_id: str) -> int | None:
        """The right to supervise a run; None when somebody has it, or its folder went with its end."""
        try:
            return hold(self.folder(run_id).supervisor_lock)
        except FileNotFoundError:
            return None

    def hold_workspace(self, workspace: str, *, wait: bool) -> int | None:
        folder = make_folder(self.data / "locks")
        return hold(folder / f"{workspace}.lock", self.wait_seconds if wait else 0)

    def seats(self) -> list[list[str]]:
        """For processes that work, and (behind them) for all that are there: memory bounds those."""
        memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        rooms = max(self.slots, int(memory_gib * 0.75 / _GIB_A_PROCESS))
        folder = make_folder(self.data / "slots")
        working = [str(folder / f"working-{n}") for n in range(self.slots)]
        return [working, [str(folder / f"present-{n}") for n in range(rooms)]]

    def ticket(self, name: str, priority: int) -> str:
        """A place in the line before the seats: what asks for one tenant stands before a bulk change."""
        return str(make_folder(self.data / "slots" / "line") / f"{priority:06d}-{time.time_ns():020d}-{name}")


def host_identity(data_dir: Path) -> str:
    """`NAME:ID`: file locks are believed only where this very folder is. The id is made once."""
    file = data_dir / "host-id"
    if not file.exists():
        write_whole(file, secrets.token_hex(4).encode())
    return f"{socket.gethostname()}:{file.read_text(encoding='utf-8')}"
