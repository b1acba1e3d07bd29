"""rollout: a tenant's workspace is made from another version of its template."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from controlplane.domain.operation import Kind
from controlplane.operations.reconcile import RECONCILE
from controlplane.operations.types import OperationType, Request, offer


class Rollout(Request):
    """`to`: a version that is kept, or its digest; the one of this release unless said."""

    to: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]*$", max_length=64)] = ""


# What a template changes is planned, judged, approved and proven like all else that differs from the record.
ROLLOUT = offer(
    OperationType(
        kind=Kind.ROLLOUT,
        summary="Move it to another version of its template",
        request=Rollout,
        rounds=RECONCILE.rounds,
        done_phase=RECONCILE.done_phase,
        from_phases=RECONCILE.from_phases,
    )
)
