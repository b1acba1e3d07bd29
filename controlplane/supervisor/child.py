"""Terraform as a child in a session of its own, and how it is asked to stop."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import time
from pathlib import Path

_INTERRUPTED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Alarm:
    """Wakes a sleeper the moment a child ends."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def sleep(self, seconds: float) -> None:
        select.select([self._read], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)


class Process:
    """A process group with a leader. The leader is our child, or was a predecessor's."""

    def __init__(self, pid: int, *, is_child: bool) -> None:
        self.pid = pid
        self._is_child = is_child
        self.exit_code: int | None = None  # negative: by that signal

    def has_ended(self) -> bool:
        if self.exit_code is not None:
            return True
        if not self._is_child:
            return not lives(self.pid)
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            self.exit_code = os.waitstatus_to_exitcode(status)
        return bool(pid)

    def signal(self, number: int) -> None:
        """To the whole group: providers and provisioners too."""
        if self.pid > 1:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def spawn(
    command: list[str],
    environment: dict[str, str],
    folder: Path,
    output: Path,
    errors: Path,
    locks: list[int],
) -> Process:
    """Start Terraform in its own session; it and all its children inherit the locks."""
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    err = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    pid = os.fork()
    if pid == 0:
        try:
            _become(command, environment, folder, (out, err), locks)
        finally:
            os._exit(127)
    os.close(out)
    os.close(err)
    return Process(pid, is_child=True)


def _become(
    command: list[str], environment: dict[str, str], folder: Path, outputs: tuple[int, int], locks: list[int]
) -> None:
    out, err = outputs
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for lock in locks:
        os.set_inheritable(lock, True)
    os.chdir(folder)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - our own argument list
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())


class Stopper:
    """SIGINT, then SIGTERM, at last SIGKILL, each to the whole group and with time to obey."""

    def __init__(self, grace_seconds: tuple[float, float]) -> None:
        self._waits = (*grace_seconds, 10.0)
        self._sent = 0
        self._next_at = 0.0

    @property
    def pressed(self) -> bool:
        return self._sent > 0

    def press(self, process: Process) -> str:
        """Send the next signal when it is time; its name, or nothing."""
        now = time.monotonic()
        if self._sent and now < self._next_at:
            return ""
        number = _INTERRUPTED_BY[min(self._sent, len(_INTERRUPTED_BY) - 1)]
        self._next_at = now + self._waits[min(self._sent, len(self._waits) - 1)]
        self._sent += 1
        process.signal(number)
        return number.name


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def kill_rest(pid: int, lock: Path) -> None:
    """Terraform is dead, its provider may not be: nobody records what it still does. Only a group of
    which a member holds this run's lock is ours: the number may have been given away."""
    if pid > 1 and _group_holds(pid, lock):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def lives(pid: int) -> bool:
    """A zombie does not: under an init that does not reap, it would live for ever."""
    if pid <= 1:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return _status(pid)[0] not in ("Z", "X")


def _status(pid: int) -> tuple[str, int]:
    """State letter and process group, from /proc; `?` where there is none."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "?", 0
    return after_name[0], int(after_name[2])


def _group_holds(group: int, lock: Path) -> bool:
    if not Path("/proc/self/stat").exists():
        return True
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _status(int(entry.name))[1] == group and _has_open(entry, lock):
            return True
    return False


def _has_open(process: Path, file: Path) -> bool:
    try:
        wanted = file.stat()
        found = [link.stat() for link in (process / "fd").iterdir()]
    except OSError:
        return False
    return any((f.st_dev, f.st_ino) == (wanted.st_dev, wanted.st_ino) for f in found)
