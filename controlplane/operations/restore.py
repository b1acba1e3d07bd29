"""restore: data come back, from a final snapshot or as of a point in time, in an epoch of their own."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, ConfigDict, Field

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import credentials, platforms, probing, restoring, slots, workspace


class Restore(Request):
    """What was destroyed comes back: from its final snapshot, or as it was `at` a time.

    `as`: beside the tenant, which may live, as another tenant of this name."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    at: AwareDatetime | None = None
    as_: Annotated[str | None, Field(alias="as", max_length=40)] = None


def connect(operation_id: str) -> dict[str, Any]:
    """The logins are in the snapshot, with the passwords of then: each gets the one of now."""
    credentials.set_up_roles(operation_id)
    restoring.open_logins(operation_id)
    route = credentials.point_route(operation_id)
    platforms.redeploy(operation_id)
    answer = probing.probe(operation_id)
    probing.record_endpoint(operation_id, route, answer["reachable"])
    return {"route": route, "probe": answer}


BACKUPS = "backups"
_PREPARED = (restoring.check_snapshot, credentials.ensure_master)
_OPENED = (probing.converge, connect, slots.settle, workspace.rewrite)

RESTORE = offer(
    OperationType(
        kind=Kind.RESTORE,
        summary="Bring back what was destroyed, or what it was at a time",
        request=Restore,
        rounds=(Round("restore", prepare=_PREPARED, complete=_OPENED, phase=Phase.PROVISIONING),),
        # The provider brings a database up from backups without its Performance Insights: what is left of the
        # plan is applied before anybody is let in.
        variants={
            BACKUPS: (
                Round("restore", prepare=_PREPARED, complete=(probing.converge,), phase=Phase.PROVISIONING),
                Round("finish", complete=_OPENED),
            )
        },
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.TORN_DOWN}),
    )
)
