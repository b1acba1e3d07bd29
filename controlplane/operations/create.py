"""create: from nothing to a database that answers the application."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from controlplane.domain.operation import Kind
from controlplane.domain.schema import VARIANT as SCHEMA
from controlplane.domain.tenant import Environment, Phase, Size, Stage
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import credentials, probing, slots, workspace
from controlplane.steps.platforms import schemas

# Lengths stand beside the patterns, not in them: two hundred letters of any language take 0.2 s to compile.
LabelKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.:/=+@-]+$", min_length=1, max_length=64)]
LabelValue = Annotated[str, Field(pattern=r"^[\w .:/=+@-]+$", min_length=1, max_length=200)]


class Create(Request):
    """A new tenant. What is left out is derived: the size from stage, locations and users."""

    slug: str
    stage: Stage = Stage.POC
    size: Size | None = None
    region: str | None = None
    cell: Annotated[str | None, Field(max_length=40)] = None
    environment: Environment | None = None
    blueprint: str = "fargate_db_per_tenant"
    storage_gb: Annotated[int, Field(ge=20, le=16384)] = 20
    locations: Annotated[int, Field(ge=1, le=100_000)] = 1
    users: Annotated[int, Field(ge=1, le=10_000_000)] = 1
    paying: bool = False
    sla: bool = False
    sensitive: bool = False
    rightsizing_decision: Annotated[str, Field(max_length=500)] = ""
    display_name: Annotated[str, Field(max_length=200)] = ""
    ttl_days: Annotated[int | None, Field(ge=1, le=365)] = None  # of a proof of concept, which then ends
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=20)


def connect(operation_id: str) -> dict[str, Any]:
    """Roles, route and probe: what makes a database the tenant's."""
    credentials.set_up_roles(operation_id)
    route = credentials.point_route(operation_id)
    answer = probing.probe(operation_id)
    probing.record_endpoint(operation_id, route, answer["reachable"])
    return {"route": route, "probe": answer}


def close_gate(operation_id: str) -> None:
    slots.settle(operation_id)
    workspace.rewrite(operation_id)


def connect_schema(operation_id: str) -> dict[str, Any]:
    """The same where the database is there already, and its tenants share it."""
    route = schemas.make(operation_id)
    answer = schemas.probe(operation_id)
    probing.record_endpoint(operation_id, route, answer["reachable"])
    return {"route": route, "probe": answer}


CREATE = offer(
    OperationType(
        kind=Kind.CREATE,
        summary="Create a tenant with a database, or a schema, of its own",
        request=Create,
        rounds=(
            Round(
                "create",
                prepare=(credentials.ensure_master,),
                complete=(probing.converge, connect, close_gate),
                phase=Phase.PROVISIONING,
            ),
        ),
        variants={
            SCHEMA: (
                Round(
                    "create",
                    prepare=(schemas.check,),
                    complete=(connect_schema,),
                    plans=False,
                    phase=Phase.PROVISIONING,
                ),
            ),
        },
        done_phase=Phase.READY,
    )
)
