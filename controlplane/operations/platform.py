"""platform: what a blueprint's tenants share in one environment and cell."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import platforms
from controlplane.steps.platforms import shared

PLAN, DESTROY = "plan", "destroy"


class Platform(Request):
    """`acknowledge`: items of the launch checklist that the caller answers for."""

    environment: Environment = Environment.DEVELOPMENT
    region: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    acknowledge: list[Annotated[str, Field(max_length=60)]] = Field(default_factory=list, max_length=50)


class PlatformPlan(Request):
    """What an apply would do; it ends with the plan."""

    environment: Environment = Environment.DEVELOPMENT
    region: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class PlatformDestruction(Request):
    """`confirm` repeats the blueprint's name: nobody destroys a platform by a slip of the hand."""

    environment: Environment = Environment.DEVELOPMENT
    confirm: str


PLATFORM = offer(
    OperationType(
        kind=Kind.PLATFORM,
        summary="Apply a blueprint's shared platform",
        request=Platform,
        rounds=(
            Round(
                "platform",
                prepare=(shared.ensure_secrets,),
                complete=(platforms.record_outputs, shared.set_up_roles),
            ),
        ),
        variants={
            PLAN: (Round("plan", prepare=(shared.ensure_secrets,), applies=False),),
            DESTROY: (
                Round("unprotect"),
                Round("remove", destroys=True, complete=(shared.forget, platforms.record_outputs)),
            ),
        },
    )
)
