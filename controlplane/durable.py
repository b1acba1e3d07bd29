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
        # Unless told, an executor takes from every queue that any of them ever registered.
        DBOS.listen_queues([self._queue])

    def launch(self) -> None:
        """Start queue polling; recovers what an executor of this id left behind."""
        from dbos import DBOS  # noqa: PLC0415

        DBOS.launch()
        DBOS.register_queue(self._queue, polling_interval_sec=self._poll_seconds, on_conflict="always_update")

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

        self._client.destroy()
        DBOS.destroy(workflow_completion_timeout_sec=0)
