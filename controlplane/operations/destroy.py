"""destroy: fence, take off what protects, prove a final snapshot, archive it, and only then remove. A tenant
that is a schema: close it, prove its export, and only then drop it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from controlplane.domain.operation import Kind
from controlplane.domain.schema import VARIANT as SCHEMA
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import credentials, power, probing, slots, snapshots
from controlplane.steps.bluegreen import old, switch
from controlplane.steps.platforms import schemas


class Destroy(Request):
    """`confirm` repeats the slug: nobody destroys a tenant by a slip of the hand. `archive`: where the
    platform has one; it is waited for."""

    confirm: str
    grace_days: Annotated[int, Field(ge=0, le=365)] = 30
    archive: bool = True


DESTROY = offer(
    OperationType(
        kind=Kind.DESTROY,
        summary="Take a final snapshot or export, prove it, and remove the tenant's database or schema",
        request=Destroy,
        rounds=(
            Round(
                "unprotect",
                prepare=(switch.take_into_state,),
                before=(power.wake,),
                complete=(
                    slots.settle,
                    snapshots.fence,
                    snapshots.take_final,
                    snapshots.archive,
                    old.remove,
                ),
                phase=Phase.TEARING_DOWN,
            ),
            Round(
                "remove",
                destroys=True,
                complete=(probing.require_gone, credentials.forget, slots.retire),
                phase=Phase.TEARING_DOWN,
            ),
        ),
        variants={
            SCHEMA: (
                Round(
                    "remove",
                    prepare=(schemas.check_leaving,),
                    complete=(schemas.close, schemas.export, schemas.drop, schemas.forget),
                    plans=False,
                    phase=Phase.TEARING_DOWN,
                ),
            ),
        },
        done_phase=Phase.TORN_DOWN,
        from_phases=frozenset(
            {
                Phase.READY,
                Phase.SUSPENDED,
                Phase.FAILED,
                Phase.NEEDS_OPERATOR,
                Phase.CONVERGING,
                Phase.REQUESTED,
            }
        ),
        destructive=True,
    )
)
