"""The watchdog's part of the composition: the same world as a worker's, without an engine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from controlplane import wiring
from controlplane.settings import Settings
from controlplane.steps import lifting
from controlplane.steps.world import install, utc_now
from controlplane.worker.watchdog import Watchdog, WatchdogLock


def run_watchdog(settings: Settings, *, until_open: bool = False, started: Any = None) -> None:
    """Watch over fences in this process until it is told to stop, or until none stands."""
    with ExitStack() as stack:
        stack.enter_context(WatchdogLock(settings.data_dir.absolute()))
        db = wiring.open_or_create(settings)
        stack.callback(db.close)
        install(wiring.world(settings, db))
        watchdog = Watchdog(db, lifting.tend, utc_now)
        if started is not None:
            started(watchdog)
        watchdog.run(until_open=until_open)
