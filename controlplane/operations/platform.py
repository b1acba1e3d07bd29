"""platform: what a blueprint's tenants share in one environment and cell."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Environment
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import platforms


class Platform(Request):
    environment: Environment = Environment.DEVELOPMENT
    region: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


PLATFORM = offer(
    OperationType(
        kind=Kind.PLATFORM,
        summary="Apply a blueprint's shared platform",
        request=Platform,
        rounds=(Round("platform", complete=(platforms.record_outputs,)),),
    )
)
