"""Who runs Terraform for a look: the binary, a process each time, or one that stays (`resident.py`)."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

_PLANS_A_LIFE = 200  # then a resident makes room for a fresh one


@dataclass(frozen=True)
class Order:
    folder: Path
    arguments: Sequence[str]  # after the program's name
    environment: Mapping[str, str] = field(repr=False)
    output: Path
    errors: Path


class Hand(Protocol):
    def run(self, order: Order, seconds: float) -> int | None:
        """The exit code; None when it took too long, and was ended with all its children."""
        ...

    def rest(self) -> None:
        """End what stays."""
        ...


@dataclass
class Binary:
    """`command`: what the arguments follow."""

    command: Sequence[str]

    def run(self, order: Order, seconds: float) -> int | None:
        with order.output.open("ab") as output, order.errors.open("ab") as errors:
            process = subprocess.Popen(
                [*self.command, *order.arguments],
                cwd=order.folder,
                env=dict(order.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return None

    def rest(self) -> None:
        """Nothing stays."""


@dataclass
class Resident:
    """One process for one environment, and so for one set of credentials: others are another process's."""

    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _environment: Mapping[str, str] = field(default_factory=dict, init=False, repr=False)
    _plans: int = field(default=0, init=False)

    def run(self, order: Order, seconds: float) -> int | None:
        process = self._there(order.environment)
        line = json.dumps([str(order.folder), list(order.arguments), str(order.output), str(order.errors)])
        code = _ask(process, line, seconds)
        if code is None:
            self.rest()
        return code

    def _there(self, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        worn = self._plans >= _PLANS_A_LIFE or environment != self._environment
        if self._process is None or self._process.poll() is not None or worn:
            self.rest()
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("resident.py"))],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
            self._environment, self._plans = environment, 0
        self._plans += 1
        return self._process

    def rest(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def _ask(process: subprocess.Popen[str], line: str, seconds: float) -> int | None:
    """None: no answer came in time, or it died."""
    if process.stdin is None or process.stdout is None:
        return None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(line + "\n")
        process.stdin.flush()
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    answer = process.stdout.readline() if ready else ""
    return int(answer) if answer else None


def _end(process: subprocess.Popen[Any]) -> None:
    """With its providers: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
