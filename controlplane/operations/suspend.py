"""suspend: the database is stopped; its storage stays, and is all that is paid."""

from __future__ import annotations

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import power


class Suspend(Request):
    """Nothing to choose."""


SUSPEND = offer(
    OperationType(
        kind=Kind.SUSPEND,
        summary="Stop its database; storage stays",
        request=Suspend,
        rounds=(Round("suspend", plans=False, complete=(power.stop,), phase=Phase.UPDATING),),
        done_phase=Phase.SUSPENDED,
        # AWS starts a stopped database after seven days: then it is suspended again.
        from_phases=frozenset({Phase.READY, Phase.SUSPENDED}),
    )
)
