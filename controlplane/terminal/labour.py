"""`controlplane worker`: in a process of its own, or in one that was forked to become it."""

from __future__ import annotations

import signal
from typing import Any

from controlplane import working
from controlplane.settings import Settings
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.output import Printer


def labour(settings: Settings, out: Printer, *, until_idle: bool) -> int:
    """Until it is told to stop; what is in flight goes on with the next one."""
    running: list[Any] = []

    def stop(_number: int, _frame: Any) -> None:
        for one in running:
            one.stop()

    signal.signal(signal.SIGTERM, stop)
    out.note("a worker runs here; Ctrl-C ends it, its work goes on with the next one")
    working.run_worker(settings, until_idle=until_idle, started=running.append)
    return ExitCode.DONE
