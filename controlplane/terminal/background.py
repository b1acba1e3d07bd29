"""A worker of its own beside the command that waits: it lives on when the command is interrupted."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def start_worker(log: Path) -> None:
    """Start `worker --until-idle`, in a session of its own, with its words in a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:  # the grandchild belongs to nobody: no zombie is left behind
            _become_worker(log)
    finally:
        os._exit(0)


def _become_worker(log: Path) -> None:
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(source, target)
    os.execv(sys.executable, [sys.executable, "-m", "cli", "worker", "--until-idle"])  # noqa: S606 - no shell is wanted
