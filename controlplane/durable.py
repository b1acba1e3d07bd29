"""The only importer of the durable engine (DBOS).

Workflows and steps are declared here without importing the engine, so that reads stay cheap; `Engine`
imports it and registers them. Names of workflows and steps are stored data: never rename them.

What we rely on: a finished step is never run again, the step in flight at a kill runs again (at least
once), and a workflow that was enqueued in a transaction exists exactly if that transaction committed.
"""

from __future__ import annotations

import functools
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from controlplane.domain.errors import Broken, ControlPlaneError, StepFailed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

P = ParamSpec("P")
R = TypeVar("R")

QUEUE = "operations"
# Raised only when a workflow's order of steps changes: waiting rows need no version, running legs do.
APPLICATION_VERSION = "1"

_SELDOM_SECONDS = 15.0  # between looks of the engine's own for what is not there, as far as we know
_SETTLING_SECONDS = 10.0
_STOP_SECONDS = 10.0

_log = logging.getLogger(__name__)
_workflows: dict[str, Callable[..., Any]] = {}
_crash_points: list[Callable[[str, str], None]] = []
# What a workflow runs within, by its name and arguments.
Surrounding = Callable[[str, tuple[Any, ...]], AbstractContextManager[None]]


def workflow(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a workflow under its stored name."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        if name in _workflows:
            raise ValueError(f"two workflows are called {name!r}")
        _workflows[name] = function
        return function

    return register


@dataclass(frozen=True)
class Retry:
    """How often a step is tried again when what it raised says `retryable`."""

    attempts: int = 4
    first_seconds: float = 0.5
    factor: float = 3.0


def step(name: str, retry: Retry | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare an effect with a name. Inside a workflow its result is stored; outside it is a plain call.

    A step never raises through the engine: a stored exception comes back as another type. It stores either
    its value or the problem, and `StepFailed` is raised from the problem each time the workflow passes here.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not _in_workflow():
                return function(*args, **kwargs)
            answer = _run_step(
                name, functools.partial(_attempts, name, retry or Retry(), function, args, kwargs)
            )
            if "problem" in answer:
                raise StepFailed(name, answer["problem"])
            return cast(R, answer["value"])

        return call

    return wrap


def _attempts(
    name: str, retry: Retry, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Run the effect, again while that makes sense; the last problem is the answer."""
    pause = retry.first_seconds
    for attempt in range(1, retry.attempts + 1):
        try:
            reach(name, "before")
            value = function(*args, **kwargs)
            reach(name, "after")
        except ControlPlaneError as error:
            if not error.retryable or attempt == retry.attempts:
                return {"problem": error.problem()}
        except Exception as error:  # noqa: BLE001 - outermost: a bug in a step must end its operation, not hang it
            _log.exception("step %s broke", name)
            return {"problem": Broken(f"{name}: {type(error).__name__}, see the worker's log").problem()}
        else:
            return {"value": value}
        time.sleep(pause)
        pause *= retry.factor
    raise AssertionError("the last attempt returns")


def reach(point: str, where: str) -> None:
    """Tell the crash matrix where we are (`before`, `middle`, `after` the effect of a step)."""
    for listener in _crash_points:
        listener(point, where)


def on_reach(listener: Callable[[str, str], None]) -> None:
    """Let a rehearsal kill this process at a named point; nothing listens in normal life."""
    _crash_points.append(listener)


def _surrounded(name: str, function: Callable[..., Any], by: Surrounding | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with by(name, arguments) if by else nullcontext():
            return function(*arguments)

    return call if by else function


def _in_workflow() -> bool:
    engine = sys.modules.get("dbos")
    return engine is not None and engine.DBOS.workflow_id is not None


def _run_step(name: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    from dbos import DBOS  # noqa: PLC0415

    answer = DBOS.run_step({"name": name}, effect)
    reach(name, "recorded")
    return answer


def create_tables(url: str) -> None:
    """The engine's own tables; after our migration, before any worker."""
    from dbos import DBOS  # noqa: PLC0415

    _quiet()
    DBOS.migrate(_engine_url(url))


def _engine_url(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _quiet() -> None:
    logging.getLogger("dbos").setLevel(logging.ERROR)


class _Bell(threading.Event):
    """What a look into the queue waits for: rung, it comes at once; set, none comes any more."""

    def __init__(self) -> None:
        super().__init__()
        self._settled = time.monotonic() + _SETTLING_SECONDS
        self._rung = threading.Event()

    def ring(self) -> None:
        self._rung.set()

    def set(self) -> None:
        super().set()
        self.ring()

    def wait(self, timeout: float | None = None) -> bool:
        """At first as it likes: what a life before left is enqueued by a thread that rings nobody."""
        is_settled = time.monotonic() > self._settled
        self._rung.wait(_SELDOM_SECONDS if is_settled else timeout)
        self._rung.clear()
        return self.is_set()


def _calm() -> None:
    """Every second the engine looks for schedules, for delayed and for overdue workflows, and into a queue of
    its own, and on SQLite it writes for that. We have none of them, so it looks seldom.

    These intervals are private in this release of the engine; a contract test holds them to their names.
    """
    from dbos import _dbos, _scheduler, _workflow_commands  # noqa: PLC0415

    _scheduler._STARTUP_FAST_POLL_DURATION_SEC = 0.0
    _workflow_commands._BACKGROUND_JOBS_INTERVAL_SEC = _SELDOM_SECONDS
    _dbos._get_or_create_dbos_registry().get_internal_queue()._polling_interval_sec = _SELDOM_SECONDS


class Engine:
    """One running engine in this process. A process has one, with an executor id nobody else has."""

    def __init__(
        self,
        url: str,
        executor_id: str,
        poll_seconds: float,
        cell: str = "",
        surrounding: Surrounding | None = None,
    ) -> None:
        """`cell`: of several; what is enqueued for one is never begun in another."""
        from dbos import DBOS, DBOSClient  # noqa: PLC0415
        from dbos._serialization import DBOSPortableJSON  # noqa: PLC0415

        self._url = _engine_url(url)
        _quiet()
        DBOS(
            config={
                "name": "controlplane",
                "system_database_url": self._url,
                "application_version": APPLICATION_VERSION,
                "executor_id": executor_id,
                "run_migrations": False,
                "serializer": DBOSPortableJSON,
                "log_level": "ERROR",
                "console_log_level": "ERROR",
                "notification_listener_polling_interval_sec": poll_seconds,
            }
        )
        for name, function in _workflows.items():
            # The default counts recoveries and dead-letters what was restarted often; we never want that.
            DBOS.workflow(name=name, max_recovery_attempts=None)(_surrounded(name, function, surrounding))
        self._client = DBOSClient(
            system_database_url=self._url, serializer=DBOSPortableJSON, application_name="controlplane"
        )
        self._poll_seconds = poll_seconds
        self._queue = f"{QUEUE}-{cell}" if cell else QUEUE
        # On SQLite there is one worker, which knows when it has enqueued something.
        self._bell = _Bell() if self._url.startswith("sqlite") else None
        self._looking: threading.Thread | None = None
        # Unless told, an executor takes from every queue that any of them ever registered.
        DBOS.listen_queues([] if self._bell else [self._queue])

    def launch(self) -> None:
        """Start looking into the queue; recovers what an executor of this id left behind."""
        from dbos import DBOS, _dbos, _queue  # noqa: PLC0415

        if self._bell:
            _calm()
        DBOS.launch()
        queue = DBOS.register_queue(
            self._queue, polling_interval_sec=self._poll_seconds, on_conflict="always_update"
        )
        if self._bell:
            look = (self._bell, _dbos._get_dbos_instance(), queue)
            self._looking = threading.Thread(
                target=_queue.queue_worker_thread, args=look, name="queue", daemon=True
            )
            self._looking.start()

    def wake(self) -> None:
        """What was enqueued and committed is begun at once, where that can be told."""
        if self._bell:
            self._bell.ring()

    def enqueue(self, session: Session, name: str, workflow_id: str, *args: Any) -> None:
        """Enqueue within the caller's transaction; an id that is there already changes nothing."""
        self._client.enqueue_in_transaction(
            session,
            {
                "workflow_name": name,
                "queue_name": self._queue,
                "workflow_id": workflow_id,
                "app_version": APPLICATION_VERSION,
            },
            *args,
        )

    def recover(self, executor_ids: Sequence[str]) -> None:
        """Take over what dead executors left pending. Conditional inside: two reapers do no harm.

        The call is private in this release of the engine; a contract test holds it to its promise.
        """
        from dbos import DBOS  # noqa: PLC0415

        if executor_ids:
            DBOS._recover_pending_workflows(list(executor_ids))

    def status(self, workflow_id: str) -> str | None:
        """PENDING, ENQUEUED, SUCCESS, ERROR, CANCELLED, …; None when the engine does not know it."""
        found = self._client.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False)
        return found[0].status if found else None

    def pending_executors(self) -> list[str]:
        """Executor ids that hold workflows which have begun and not ended."""
        found = self._client.list_workflows(status="PENDING", load_input=False, load_output=False)
        return sorted({w.executor_id for w in found if w.executor_id})

    def stop(self) -> None:
        """Let go at once: what is in flight is recovered by the next worker."""
        from dbos import DBOS  # noqa: PLC0415

        if self._bell and self._looking:
            self._bell.set()
            self._looking.join(_STOP_SECONDS)
        self._client.destroy()
        DBOS.destroy(workflow_completion_timeout_sec=0)
