"""resume: the database is started, and asked as the application would ask it."""

from __future__ import annotations

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import power, probing


class Resume(Request):
    """Nothing to choose."""


RESUME = offer(
    OperationType(
        kind=Kind.RESUME,
        summary="Start its database again",
        request=Resume,
        rounds=(
            Round(
                "resume",
                plans=False,
                complete=(power.start, probing.converge, probing.canary),
                phase=Phase.UPDATING,
            ),
        ),
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.SUSPENDED}),
    )
)
