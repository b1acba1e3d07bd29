"""The worker's part of the composition: the engine, what looks after itself beside it, and who may watch."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from controlplane import catalog, operations, sources, telling, wiring
from controlplane.domain.tracing import Tracer
from controlplane.durable import Engine, on_reach
from controlplane.services import waves
from controlplane.services.control import Control
from controlplane.services.reviews.hosting import Hosting
from controlplane.services.reviews.keeper import Keeper
from controlplane.settings import Settings
from controlplane.steps import lifting
from controlplane.steps.world import install, utc_now
from controlplane.store.database import Database
from controlplane.store.sealed import check_keys
from controlplane.worker import schedules, tracing
from controlplane.worker.lease import Lease, Place
from controlplane.worker.lock import WorkerLock
from controlplane.worker.loop import Worker
from controlplane.worker.watch import FenceWatch

assert operations.CREATE  # offering every workflow to the engine is this import's effect  # noqa: S101


def run_worker(settings: Settings, *, until_idle: bool = False, started: Any = None) -> None:
    """Run a worker in this process until it is told to stop, or until nothing is left to do."""
    db = wiring.open_or_create(settings)
    with ExitStack() as stack:
        shares = db.file is None
        executor = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}" if shares else "embedded"
        if db.file is not None:
            stack.enter_context(WorkerLock(db.file))
        tracer = _furnish(settings, db, executor, stack)
        here = wiring.control_of(settings, db)
        if shares:
            _lease(db, executor, here.cell_of_many, stack)
        around = tracing.legs(db, tracer) if settings.traces else None
        # The engine's own looks cost most of what waiting costs; an operation has two legs to be found.
        pause = 2 * settings.poll_seconds
        engine = Engine(settings.database_url, executor, pause, here.cell_of_many, around)
        engine.launch()
        stack.callback(engine.stop)
        post = schedules.post(here)
        # One that ends when nothing is left to do would never end by a clock.
        clocks = () if until_idle else (schedules.clock(here, executor, alone=not shares),)
        worker = Worker(
            db=db,
            engine=engine,
            now=utc_now,
            capacity=max(4, 4 * settings.slots),
            poll_seconds=settings.poll_seconds,
            cell=here.cell_of_many,
            shares=shares,
            hooks=(*_looks(here), post.look, *clocks),
        )
        stack.enter_context(_exposed(settings, here, worker))
        if started is not None:
            started(worker)
        worker.run(until_idle=until_idle)
        post.finish()


def _furnish(settings: Settings, db: Database, executor: str, stack: ExitStack) -> Tracer:
    """The world of steps, and who tells where their time goes. Checks that cannot be read are found here, not
    behind a switch; the watchdog asks none and does not read them."""
    checks = sources.smoke_checks(settings, catalog.load().blueprints)
    world = wiring.world(settings, db, telling.tracer(settings, f"worker {executor}"))
    world = replace(world, smoke=checks)
    check_keys(db, world.ports.keyring)
    install(world)
    stack.callback(world.tracer.finish)
    return world.tracer


def _lease(db: Database, executor: str, cell: str, stack: ExitStack) -> None:
    lease = Lease(db, executor, Place(socket.gethostname(), cell))
    lease.take()
    stack.callback(lease.release)
    on_reach(lambda _step, where: lease.check() if where == "before" else None)


def _looks(here: Control) -> tuple[Callable[[], None], ...]:
    """What else looks after itself, with every look of the worker."""
    return partial(waves.advance, here), Keeper(here), Hosting(here), FenceWatch(lifting.tend)


@contextmanager
def _exposed(settings: Settings, here: Control, worker: Worker) -> Iterator[None]:
    if not settings.worker_metrics:
        yield
        return
    from controlplane.worker import exposing  # noqa: PLC0415 - what most workers do without

    with exposing.exposed(settings.worker_metrics, partial(exposing.own, here, lambda: worker.looked_at)):
        yield
