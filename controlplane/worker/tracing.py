"""A leg as a span of the trace that its operation's door began."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from controlplane.domain.tracing import Tracer
from controlplane.store import operations
from controlplane.store.database import Database


def legs(db: Database, tracer: Tracer) -> Callable[[str, tuple[Any, ...]], AbstractContextManager[None]]:
    """What surrounds each leg that runs here. One that is taken over from a dead worker is a second span."""

    @contextmanager
    def surround(name: str, arguments: tuple[Any, ...]) -> Iterator[None]:
        operation_id, number = arguments
        with db.read() as session:
            row = operations.get(session, operation_id)
        facts = {"operation": row.id, "kind": row.kind, "workspace": row.workspace_id, "leg": number}
        with tracer.span(f"{name} {row.kind}", row.traceparent, request=row.request_id, **facts):
            yield

    return surround
