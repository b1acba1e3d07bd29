"""upgrade: a proof of concept becomes production, with its data, by a migration that is verified."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from controlplane.domain.errors import StepFailed
from controlplane.domain.migration.checklist import Item
from controlplane.domain.migration.states import Strategy
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase, Size, Stage
from controlplane.operations.rollback import go_back
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import (
    credentials,
    fencing,
    in_place,
    lifting,
    moving,
    platforms,
    probing,
    replicating,
    slots,
    smoking,
    snapshots,
    targets,
    workspace,
)
from controlplane.steps.bluegreen import green, switch


class Upgrade(Request):
    """`acknowledge` names prerequisites that whoever asks answers for."""

    to: Stage = Stage.PRODUCTION
    strategy: Strategy = Strategy.SNAPSHOT_RESTORE
    size: Size | None = None
    storage_gb: Annotated[int, Field(ge=20, le=14894)] | None = None
    acknowledge: Annotated[list[Item], Field(max_length=len(Item))] = Field(default_factory=list)
    outage_minutes: Annotated[int, Field(ge=1, le=1440)] = 60


def connect(operation_id: str) -> dict[str, Any]:
    """What applications read follows from the route; then they are let in, and asked."""
    route = credentials.point_route(operation_id)
    asked = smoking.ask_database(operation_id)
    targets.open_target(operation_id)
    platforms.redeploy(operation_id)
    answer = probing.probe(operation_id)
    probing.record_endpoint(operation_id, route, answer["reachable"])
    return {"route": route, "probe": answer, **asked, **smoking.ask_application(operation_id)}


def take_back(operation_id: str) -> dict[str, Any]:
    """Before the switch always; behind it when its checks failed, unless something would be lost."""
    why_not = ""
    if smoking.is_way_back_wanted(operation_id):
        try:
            go_back(operation_id)
        except StepFailed as failure:
            why_not = failure.message
    back = lifting.take_back(operation_id)
    return {**back, "note": f"{back['note']}: {why_not}"} if why_not else back


def switch_over(operation_id: str) -> None:
    """Everything is compared before RDS is asked: it compares nothing itself."""
    if not switch.is_begun(operation_id):
        green.make(operation_id)
        green.follow(operation_id)
        fencing.fence_source(operation_id)
        fencing.drain(operation_id)
        green.compare(operation_id)
    switch.switch(operation_id)


def settle(operation_id: str) -> None:
    slots.settle(operation_id)
    workspace.rewrite(operation_id)


_RESTORED = Round(
    "target",
    prepare=(moving.begin, targets.preflight, credentials.ensure_master),
    before=(moving.approved, fencing.fence_source, fencing.drain, targets.seed),
    complete=(
        targets.await_target,
        slots.settle,
        targets.make_logins,
        targets.verify,
        replicating.try_turn_round,
        moving.flip,
        connect,
        moving.soak,
        workspace.rewrite,
    ),
    phase=Phase.MIGRATING,
)
_REPLICATED = Round(
    "target",
    prepare=(moving.begin, targets.preflight, credentials.ensure_master),
    before=(moving.approved,),
    complete=(
        targets.await_target,
        slots.settle,
        replicating.prepare_target,
        replicating.follow,
        replicating.catch_up,
        replicating.verify_before,
        fencing.fence_source,
        fencing.drain,
        replicating.await_rest,
        targets.verify,
        replicating.turn_round,
        moving.flip,
        connect,
        moving.soak,
        workspace.rewrite,
    ),
    phase=Phase.MIGRATING,
)
_IN_PLACE = Round(
    "in_place",
    prepare=(moving.begin, targets.preflight, in_place.check),
    before=(moving.approved, snapshots.take_before),
    complete=(
        probing.converge,
        settle,
        in_place.verify,
        smoking.ask_database,
        smoking.ask_application,
        in_place.finish,
    ),
    phase=Phase.MIGRATING,
)

# The plan of the first round says what the database becomes; RDS brings about what it can, and the second
# round's, which is what is left of it, the rest.
_SWITCHED = (
    Round(
        "switch",
        prepare=(moving.begin, targets.preflight, green.check, switch.take_into_state),
        before=(moving.approved, switch_over),
        complete=(switch.canary, connect),
        by_steps=True,
        phase=Phase.MIGRATING,
    ),
    Round(
        "take_over",
        prepare=(switch.take_into_state,),
        complete=(targets.await_target, slots.settle, moving.soak, workspace.rewrite),
    ),
)

UPGRADE = offer(
    OperationType(
        kind=Kind.UPGRADE,
        summary="Take a tenant to production, with its data",
        request=Upgrade,
        rounds=(_RESTORED,),
        variants={
            Strategy.IN_PLACE.value: (_IN_PLACE,),
            Strategy.LOGICAL_REPLICATION.value: (_REPLICATED,),
            Strategy.RDS_BLUE_GREEN.value: _SWITCHED,
        },
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.READY}),
        unwind=take_back,
    )
)
