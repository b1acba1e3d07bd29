"""adopt: a database that exists becomes a tenant's, with its data and its password as they are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment, Phase, Size, Stage
from controlplane.operations.create import LabelKey, LabelValue, connect
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import probing, slots, takeover, workspace


class Adopt(Request):
    """What is left out is as the database is. Another size than its own is planned as a change of it."""

    identifier: Annotated[str, Field(pattern=r"^[a-z](-?[a-z0-9])*$", max_length=63)]
    stage: Stage = Stage.POC
    size: Size | None = None
    environment: Environment | None = None
    blueprint: str = "fargate_db_per_tenant"
    locations: Annotated[int, Field(ge=1, le=100_000)] = 1
    users: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    paying: bool = False
    sla: bool = False
    sensitive: bool = False
    rightsizing_decision: Annotated[str, Field(max_length=500)] = ""
    display_name: Annotated[str, Field(max_length=200)] = ""
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=20)


ADOPT = offer(
    OperationType(
        kind=Kind.ADOPT,
        summary="Take over a database that exists, with its data and its password",
        request=Adopt,
        rounds=(
            Round(
                "adopt",
                prepare=(takeover.inspect,),
                complete=(probing.converge, connect, slots.settle, workspace.rewrite),
                phase=Phase.PROVISIONING,
            ),
        ),
        done_phase=Phase.READY,
    )
)
