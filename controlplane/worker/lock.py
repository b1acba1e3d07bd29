"""On SQLite there is exactly one worker: it holds a file lock beside the database."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path
from types import TracebackType

from controlplane.domain.errors import Locked

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.0)


def lock_path(database_file: Path) -> Path:
    return database_file.with_name(database_file.name + ".worker-lock")


class WorkerLock:
    """Held for the life of the process; the kernel frees it however the process ends."""

    def __init__(self, database_file: Path) -> None:
        self._path = lock_path(database_file)
        self._fd = -1

    def __enter__(self) -> WorkerLock:
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if not self._taken():
            os.close(self._fd)
            raise Locked(
                f"another worker holds {self._path}",
                hint="one worker is enough on SQLite; several need PostgreSQL (CONTROLPLANE_DATABASE_URL)",
            )
        os.truncate(self._fd, 0)
        os.write(self._fd, str(os.getpid()).encode())
        return self

    def _taken(self) -> bool:
        """Whoever only asks holds it for a moment: that is waited out."""
        for pause in _PAUSES:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(pause)
            else:
                return True
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)


def worker_lives(database_file: Path) -> bool:
    """Does a worker hold the lock now? Any number may ask at a time."""
    descriptor = os.open(lock_path(database_file), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def end_stopped_worker(database_file: Path) -> bool:
    """End the worker of this file if it was stopped (SIGSTOP, a debugger); one that runs is left alone."""
    if not worker_lives(database_file):
        return False
    try:
        pid = int(lock_path(database_file).read_text())
        stopped = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
        if stopped:
            os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return False  # it ended meanwhile, or this machine does not say
    return stopped
