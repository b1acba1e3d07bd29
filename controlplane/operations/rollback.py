"""rollback: after the switch, back to the database that was left; then the new one goes."""

from __future__ import annotations

from typing import Any

from controlplane.domain.migration.bluegreen import VARIANT as BLUE_GREEN
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.finalize import REMOVE
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import (
    credentials,
    fencing,
    leaving,
    lifting,
    moving,
    platforms,
    probing,
    replicating,
    slots,
    targets,
)
from controlplane.steps.bluegreen import old, switch

LEFTOVER = "leftover"


class Rollback(Request):
    """`accept_loss`: what was written since the switch is given up, where it was not sent back."""

    accept_loss: bool = False


def go_back(operation_id: str) -> dict[str, Any]:
    moving.begin_return(operation_id)
    fencing.fence_target(operation_id)
    replicating.bring_back(operation_id)
    loss = targets.measure_loss(operation_id)
    moving.reverse(operation_id)
    route = credentials.point_route(operation_id)
    targets.open_source(operation_id)
    platforms.redeploy(operation_id)
    answer = probing.probe(operation_id)
    probing.record_endpoint(operation_id, route, answer["reachable"])
    moving.serve_again(operation_id)
    replicating.end_reverse(operation_id)
    return {"route": route, "loss": loss}


_RETURN = Round("return", plans=False, complete=(go_back,), phase=Phase.MIGRATING)
# The side that a switchover left becomes a database of its own, which Terraform knows, before anybody is
# closed out.
_TAKE_OLD = Round(
    "old_side",
    prepare=(switch.take_into_state, credentials.ensure_master),
    before=(old.free,),
    complete=(targets.await_target, slots.settle, old.make_logins),
)
_UNPROTECT = Round("unprotect", complete=(slots.settle, leaving.take_last, leaving.archive_last))

ROLLBACK = offer(
    OperationType(
        kind=Kind.ROLLBACK,
        summary="Go back to the database that was left, and remove the new one",
        request=Rollback,
        rounds=(
            _RETURN,
            _UNPROTECT,
            REMOVE,
        ),
        variants={
            LEFTOVER: (_UNPROTECT, REMOVE),
            BLUE_GREEN: (_TAKE_OLD, _RETURN, _UNPROTECT, REMOVE),
        },
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.READY, Phase.NEEDS_OPERATOR, Phase.FAILED}),
        destructive=True,
        unwind=lifting.take_back,
    )
)
