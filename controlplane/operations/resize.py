"""resize: another class, or more storage, in place."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase, Size
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import probing, resizing, slots, snapshots, workspace


class Resize(Request):
    """At least one of the two. Storage only grows."""

    size: Size | None = None
    storage_gb: Annotated[int | None, Field(ge=20, le=65536)] = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Resize:
        if self.size is None and self.storage_gb is None:
            raise ValueError("say a size, a storage_gb, or both")
        return self


RESIZE = offer(
    OperationType(
        kind=Kind.RESIZE,
        summary="Change its size or its storage, in place",
        request=Resize,
        rounds=(
            Round(
                "resize",
                prepare=(resizing.check,),
                before=(snapshots.take_before,),
                complete=(probing.converge, probing.canary, slots.settle, workspace.rewrite),
                phase=Phase.UPDATING,
            ),
        ),
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.READY, Phase.CONVERGING, Phase.FAILED}),
    )
)
