"""A worker of its own beside the command that waits: it lives on when the command is interrupted."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.domain.errors import Unavailable


@dataclass
class Standby:
    """Starts a worker where none lives, again when it ended, and not for ever when none can live."""

    log: Path
    lives: Callable[[], bool]
    start: Callable[[Path], int]
    exists: Callable[[int], bool]  # its process
    _pid: int = field(default=0, init=False)
    _said_before: int = field(default=0, init=False)  # how long the log was when it was started

    def ensure(self) -> str:
        """What to tell about it; nothing when a worker lives or is just coming up."""
        if self.lives() or (self._pid and self.exists(self._pid)):
            return ""
        if self._pid:
            self._see_why_it_ended()
        self._said_before = self.log.stat().st_size if self.log.is_file() else 0
        self._pid = self.start(self.log)
        return f"no worker was alive: started one (its words are in {self.log})"

    def _see_why_it_ended(self) -> None:
        """One that had nothing to do says nothing of an error."""
        with self.log.open("rb") as words:
            words.seek(self._said_before)
            said = words.read().decode(errors="replace")
        errors = re.findall(r"^error: (.+)(?:\n\s+next: (.+))?", said, re.MULTILINE)
        if errors:
            why, hint = errors[-1]
            raise Unavailable(f"waiting for a worker: none can start: {why}", hint=hint or f"see {self.log}")


def start_worker(log: Path) -> int:
    """Start `worker --until-idle`, in a session of its own, with its words in a file; its process."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    told, telling = os.pipe()
    child = os.fork()
    if child:
        os.close(telling)
        with os.fdopen(told) as answer:
            pid = int(answer.read() or 0)
        os.waitpid(child, 0)
        return pid
    try:
        os.setsid()
        grandchild = os.fork()  # it belongs to nobody: no zombie is left behind
        if grandchild == 0:
            os.close(telling)
            _become_worker(log)
        os.write(telling, str(grandchild).encode())
    finally:
        os._exit(0)


def _become_worker(log: Path) -> None:
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.execv(sys.executable, [sys.executable, "-m", "cli", "worker", "--until-idle"])  # noqa: S606 - no shell is wanted
