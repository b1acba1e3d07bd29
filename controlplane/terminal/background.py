"""A worker of its own beside the command that waits: it lives on when the command is interrupted."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from controlplane.domain.errors import Unavailable

Start = Callable[[Path], int]  # with its words in that file; its process
_WORDS = ("worker", "--until-idle")


@dataclass
class _Process:
    is_one_command: bool = False  # and nobody else's: nothing is open that it did not open


process = _Process()


@dataclass
class Standby:
    """Starts a worker where none lives, again when it ended, and not for ever when none can live."""

    log: Path
    lives: Callable[[], bool]
    start: Start
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

    def become() -> None:
        _speak_into(log)
        os.execv(sys.executable, [sys.executable, "-m", "cli", *_WORDS])  # noqa: S606 - no shell is wanted

    return _orphan(become)


class Spare:
    """A process that is forked before anything is open, and waits to become a worker: what this one has
    imported need not be imported again. It ends with this one where it is not needed."""

    def __init__(self, work: Callable[[], int]) -> None:
        gc.freeze()  # what both share stays shared
        asked, self._ask = os.pipe()
        self._pid = _orphan(partial(_wait_to_be_asked, asked, self._ask, work))
        os.close(asked)

    def start(self, log: Path) -> int:
        """Its process; once. After it, or where somebody ended it meanwhile, another is started anew."""
        ask, self._ask = self._ask, -1
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            os.write(ask, os.fsencode(log.absolute()))
        except OSError:
            return start_worker(log)
        os.close(ask)
        return self._pid


def starter(work: Callable[[], int]) -> Start:
    """How a worker is started that does `work`. No fork where it is not safe: macOS's libraries do not bear
    it, nor do threads, nor what a process has open that is not one command's alone."""
    safe = process.is_one_command and sys.platform == "linux" and threading.active_count() == 1
    return Spare(work).start if safe else start_worker


def _wait_to_be_asked(asked: int, ask: int, work: Callable[[], int]) -> None:
    os.close(ask)
    log = os.read(asked, 65_536)
    if log:
        _speak_into(Path(os.fsdecode(log)))
        _be_called(" ".join(("controlplane", *_WORDS)))
        code = work()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _be_called(words: str) -> None:
    """What `ps` shows: Linux reads it from where the arguments of the process stand."""
    numbers = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(numbers[45]), int(numbers[46])
    if 0 < start < end:
        room = end - start
        ctypes.memmove(start, words.encode()[: room - 1].ljust(room, b"\0"), room)


def _orphan(become: Callable[[], None]) -> int:
    """A process in a session of its own, whom nobody has to reap."""
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
        grandchild = os.fork()
        if grandchild == 0:
            os.close(told)
            os.close(telling)
            become()
        else:
            os.write(telling, str(grandchild).encode())
    finally:
        os._exit(0)


def _speak_into(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(written)
