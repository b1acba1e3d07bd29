"""finalize: the fallback window is over, and the database that was left goes for good."""

from __future__ import annotations

from controlplane.domain.migration.bluegreen import VARIANT as BLUE_GREEN
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import leaving, moving, replicating, slots, workspace
from controlplane.steps.bluegreen import old


class Finalize(Request):
    """`override`: before a day has passed, with a reason."""

    override: bool = False


REMOVE = Round(
    "remove",
    complete=(leaving.require_gone, leaving.forget, leaving.retire, workspace.rewrite),
)

# Terraform knows nothing of the side that a switchover left.
_OLD_SIDE = Round(
    "remove",
    plans=False,
    before=(moving.begin_finalizing,),
    complete=(
        leaving.take_last,
        leaving.archive_last,
        old.remove,
        leaving.require_gone,
        leaving.forget,
        leaving.retire,
    ),
)

FINALIZE = offer(
    OperationType(
        kind=Kind.FINALIZE,
        summary="End the fallback window: prove a last snapshot of the old database, and remove it",
        request=Finalize,
        rounds=(
            Round(
                "unprotect",
                before=(moving.begin_finalizing, replicating.end_reverse),
                complete=(slots.settle, leaving.take_last, leaving.archive_last),
            ),
            REMOVE,
        ),
        variants={BLUE_GREEN: (_OLD_SIDE,)},
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.READY, Phase.NEEDS_OPERATOR}),  # who sleeps is woken first
        destructive=True,
    )
)
