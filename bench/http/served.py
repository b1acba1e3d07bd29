"""A server in a process of its own, for as long as it is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.settings import Settings, environment_of


@dataclass(frozen=True)
class Served:
    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What it has used so far, in user and system mode: a busy machine changes it little."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(which: str, settings: Settings) -> Iterator[Served]:
    """Once it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.http.server", which],
        env=environment_of(settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Served(int(process.stdout.readline()) if process.stdout else 0, process.pid)
    finally:
        process.terminate()
        process.wait(30)
