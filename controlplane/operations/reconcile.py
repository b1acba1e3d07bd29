"""reconcile: what is recorded, planned again; what differs in AWS goes back to it."""

from __future__ import annotations

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.create import connect
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import credentials, probing, slots, workspace
from controlplane.steps.bluegreen import switch


class Reconcile(Request):
    """`discard_edits`: files of the workspace that were edited by hand are written over."""

    discard_edits: bool = False


RECONCILE = offer(
    OperationType(
        kind=Kind.RECONCILE,
        summary="Bring what is there to what is recorded",
        request=Reconcile,
        rounds=(
            Round(
                "reconcile",
                prepare=(switch.take_into_state, credentials.ensure_master),
                complete=(probing.converge, connect, slots.settle, workspace.rewrite),
                phase=Phase.UPDATING,
            ),
        ),
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.READY, Phase.CONVERGING, Phase.FAILED, Phase.NEEDS_OPERATOR}),
    )
)
