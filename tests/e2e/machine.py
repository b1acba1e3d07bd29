"""A person's machine for one test: an empty home, a temporary folder, and the program run from it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path


@dataclass
class Machine:
    """Everything that is started here works below `folder`."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def environment(self) -> dict[str, str]:
        home = self.folder / "home"
        for place in (self.temporary, home):
            place.mkdir(parents=True, exist_ok=True)
        plain = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(self.temporary)}
        return plain | {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"} | self.settings

    def start(self, *words: str, within: Sequence[str] = ()) -> Running:
        """`within`: what the program is put into, such as a namespace."""
        process = subprocess.Popen(
            [*within, sys.executable, "-P", "-m", "cli", *words],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Whoever was started in the background ignores Ctrl-C, and so would all that it starts.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it takes no lock
        )
        return Running(process)

    def run(self, *words: str, seconds: float = 600) -> tuple[int, str]:
        running = self.start(*words)
        return running.wait(seconds), running.text

    def workers_left(self) -> dict[int, str]:
        """Processes that know this folder: by a word, a variable, their working folder or an open file."""
        found = {}
        for process in Path("/proc").iterdir():
            if process.name.isdigit() and int(process.name) != os.getpid() and self._knows(process):
                found[int(process.name)] = _words(process)
        return found

    def _knows(self, process: Path) -> bool:
        mark = str(self.folder)
        return any(mark in said for said in _told(process))


@contextmanager
def borrowed() -> Iterator[Machine]:
    """Below a short path that every account may pass: sockets and PostgreSQL's own account need it."""
    folder = Path(tempfile.mkdtemp(prefix="cp-e2e-")).resolve()
    folder.chmod(0o711)
    try:
        yield Machine(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _told(process: Path) -> Iterator[str]:
    try:
        if process.joinpath("stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X"):
            return
        yield process.joinpath("cmdline").read_bytes().decode(errors="replace")
        yield process.joinpath("environ").read_bytes().decode(errors="replace")
        for link in (process / "cwd", *(process / "fd").iterdir()):
            yield str(link.readlink())
    except OSError:
        return  # it ended meanwhile, or is somebody else's


def _words(process: Path) -> str:
    try:
        return process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
    except OSError:
        return "ended meanwhile"


class Running:
    """A process and everything that it said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def wait_for(self, words: str, seconds: float = 300) -> None:
        self._until(lambda: words in self.text, seconds, f"waiting for {words!r}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Its exit code; whatever it started may go on holding its output."""
        try:
            self._until(lambda: self._process.poll() is not None, seconds, "waiting for its end")
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait(30)
            self._reader.join(10)
            if not self._reader.is_alive() and self._process.stdout:
                self._process.stdout.close()
        return self._process.returncode

    def _until(self, done: Callable[[], bool], seconds: float, doing: str) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"{doing}: {self.text[-3000:]}"
            time.sleep(0.05)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line)
