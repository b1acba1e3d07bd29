"""Effects tell their story: each step of an operation writes a line when it begins and when it ends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from controlplane.domain.errors import ControlPlaneError
from controlplane.durable import Retry, step
from controlplane.steps.world import acting_for, world
from controlplane.store import operations

P = ParamSpec("P")
R = TypeVar("R")

Effect = Callable[Concatenate[str, P], R]


def effect(name: str, words: str, retry: Retry | None = None) -> Callable[[Effect[P, R]], Effect[P, R]]:
    """A durable step whose first argument is the operation's id and whose progress people can read."""

    def wrap(function: Effect[P, R]) -> Effect[P, R]:
        @step(name, retry)
        @functools.wraps(function)
        def call(operation_id: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
            say(operation_id, "step", words, step=name, state="started")
            try:
                with acting_for(operation_id), world().tracer.span(name, operation=operation_id):
                    result = function(operation_id, *args, **kwargs)
            except ControlPlaneError as error:
                state = "retrying" if error.retryable else "failed"
                say(operation_id, "step", f"{words}: {error.message}", step=name, state=state)
                raise
            say(operation_id, "step", words, step=name, state="done")
            return result

        return call

    return wrap


def say(operation_id: str, kind: str, text: str, *, step: str = "", **data: Any) -> None:
    """Write one line of the story; a step that is running also shows as the operation's stage."""
    here = world()
    with here.db.write() as session:
        operations.tell(session, operation_id, here.now(), kind, step=step, text=text, data=data)
        if data.get("state") == "started":
            operations.note(session, operation_id, stage=step)
