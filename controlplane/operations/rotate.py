"""rotate: other passwords, with no moment in which the application cannot log in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from controlplane.domain.operation import Kind
from controlplane.domain.schema import VARIANT as SCHEMA
from controlplane.domain.tenant import Phase
from controlplane.operations.create import connect
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import credentials, probing, rotation, slots, workspace
from controlplane.steps.platforms import schemas


class Login(StrEnum):
    APPLICATION = "application"
    CONTROL = "control"
    MASTER = "master"


class Rotate(Request):
    """`master` also takes over a database that was adopted: from then on its password is ours."""

    what: Login = Login.APPLICATION


def switch(operation_id: str) -> dict[str, Any]:
    """The other login, then the route, then the end of the old password."""
    roles = rotation.renew_idle(operation_id)
    credentials.point_route(operation_id, roles["idle"])
    rotation.retire(operation_id, roles["active"])
    return {"login": roles["idle"], **probing.canary(operation_id)}


def switch_schema(operation_id: str) -> dict[str, Any]:
    """The same for a tenant that is a schema."""
    roles = schemas.renew_idle(operation_id)
    schemas.switch(operation_id, roles["idle"])
    schemas.retire(operation_id, roles["active"])
    return {"login": roles["idle"], "probe": schemas.probe(operation_id)}


_APPLICATION = Round("rotate", prepare=(rotation.check_logins,), complete=(switch,), plans=False)
_CONTROL = Round("rotate", prepare=(rotation.check_logins,), complete=(rotation.renew_control,), plans=False)
_SCHEMA = Round("rotate", prepare=(schemas.check,), complete=(switch_schema,), plans=False)
_MASTER = Round(
    "rotate",
    prepare=(credentials.ensure_master,),
    before=(rotation.write_master,),
    complete=(probing.converge, slots.settle, rotation.try_master, connect, workspace.rewrite),
    phase=Phase.UPDATING,
)

ROTATE = offer(
    OperationType(
        kind=Kind.ROTATE,
        summary="Give its application, the control plane or the master another password",
        request=Rotate,
        rounds=(_APPLICATION,),
        variants={
            Login.APPLICATION: (_APPLICATION,),
            Login.CONTROL: (_CONTROL,),
            Login.MASTER: (_MASTER,),
            SCHEMA: (_SCHEMA,),
        },
        done_phase=Phase.READY,
        from_phases=frozenset({Phase.READY}),
    )
)
