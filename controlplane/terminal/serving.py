"""`controlplane serve`: the API under uvicorn, and a worker beside it in the same process."""

from __future__ import annotations

import errno
import gc
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn

from api.app import create_app
from controlplane import checkup, telling, wiring, working
from controlplane.domain.errors import ControlPlaneError, Locked, Unavailable
from controlplane.services import access, doctor, keys
from controlplane.services.control import Control
from controlplane.services.workspaces.states import Desk
from controlplane.settings import Settings
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here

_FIRST_TOKEN = "admin.token"  # noqa: S105 - the name of a file
_STOP_SECONDS = 20.0
_HEADER_BYTES = 32_768


def serve(here: Here, host: str, port: int, *, worker: bool) -> int:
    """Until it is told to stop; a request in flight is finished."""
    with bind(host, port) as listening, _opened(here.settings, with_worker=worker) as control:
        file = access.first_token(control, here.settings.data_dir.absolute() / _FIRST_TOKEN)
        if file is not None:
            here.out.note(f"first start: an admin's token is in {file} (only you can read it)")
        tracer = telling.tracer(here.settings, "api")
        app = create_app(
            control,
            tracer=tracer,
            desk=Desk(control, wiring.states(here.settings, control.db)),
            doctor=lambda: doctor.examine(checkup.checks(here.settings)),
        )
        address = listening.getsockname()
        here.out.note(f"listening on http://{address[0]}:{address[1]}")
        with _requests_logged(wanted=not here.out.err.isatty()), _sandbox(here, wanted=worker):
            keys.require(control)
            with _worker(here, wanted=worker):
                answer(app, listening)
        tracer.finish()
    return ExitCode.DONE


@contextmanager
def _requests_logged(*, wanted: bool) -> Iterator[None]:
    """A JSON line a request on stderr, for whoever collects logs; a person's terminal is left in peace."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("controlplane.api")
    if wanted:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextmanager
def _sandbox(here: Here, *, wanted: bool) -> Iterator[None]:
    """A server in the sandbox's mode brings its own, unless one runs; what it started it stops."""
    ours = False
    if wanted and here.settings.is_sandbox and not wiring.sandbox_status(here.settings).running:
        here.out.note(f"starting the sandbox … {wiring.start_sandbox(here.settings).endpoint_url}")
        ours = True
    try:
        yield
    finally:
        if ours:
            wiring.stop_sandbox(here.settings)


@contextmanager
def _worker(here: Here, *, wanted: bool) -> Iterator[None]:
    beside = Beside(here.settings)
    if wanted:
        here.out.note(beside.start())
    try:
        yield
    finally:
        beside.stop()


@contextmanager
def _opened(settings: Settings, *, with_worker: bool) -> Iterator[Control]:
    # A door never holds a Terraform process: what needs one is the worker's, or of the process that has one.
    control = replace(wiring.control(settings), plan_source=None)
    control = control if with_worker else replace(control, rehearsing=None)
    try:
        yield control
    finally:
        control.db.close()


def answer(app: Any, listening: socket.socket) -> None:
    """Until the process is told to stop."""
    # What stands by now lives as long as the process. A collection that walks through it lets everybody wait.
    gc.collect()
    gc.freeze()
    uvicorn.Server(configured(app)).run(sockets=[listening])


def configured(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_graceful_shutdown=10,
    )


def bind(host: str, port: int) -> socket.socket:
    """Our own socket, so that a port in use is said in our words before anything else begins."""
    listening: socket.socket | None = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol: asyncio must know it for TCP, or an answer waits 40 ms for an acknowledgement.
        listening = socket.socket(*found[:3])
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(found[4])
        listening.listen(2048)
    except OSError as error:
        if listening is not None:
            listening.close()
        why = "it is in use" if error.errno == errno.EADDRINUSE else str(error.strerror or error)
        hint = "stop who uses it, or say another --port (0: a free one)"
        raise Unavailable(f"listening on {host}:{port}: {why}", hint=hint) from error
    return listening


@dataclass
class Beside:
    """A worker in a thread of this process, unless another process has one."""

    settings: Settings
    _running: list[Any] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def start(self) -> str:
        begun = threading.Event()
        said: list[str] = []

        def started(worker: Any) -> None:
            self._running.append(worker)
            said.append("a worker runs in this process")
            begun.set()

        def work() -> None:
            try:
                working.run_worker(self.settings, started=started)
            except Locked:
                said.append("another process has the worker")
            except ControlPlaneError as error:
                said.append(f"no worker runs in this process: {error.message}; {error.hint}")
            begun.set()

        self._thread = threading.Thread(target=work, name="worker", daemon=True)
        self._thread.start()
        begun.wait()
        return said[0] if said else "the worker ended at once"

    def stop(self) -> None:
        for worker in self._running:
            worker.stop()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
