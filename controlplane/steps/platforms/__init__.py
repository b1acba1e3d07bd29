"""A platform's outputs, read from its state, recorded, and rendered as literals into its tenants; and its
service, which follows a route that moved."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Broken, ControlPlaneError
from controlplane.domain.names import WorkspaceId
from controlplane.steps import subject
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import platforms


@effect("record_outputs", "recording the platform's outputs")
def record_outputs(operation_id: str) -> dict[str, Any]:
    """A changed output raises the version, by which tenants that are behind are found."""
    here = world()
    found = subject.load(operation_id)
    state = here.ports.runner.state(WorkspaceId(found.operation.workspace_id))
    if state is None:
        raise Broken("the platform was applied, but there is no state of it", hint="operation settle")
    outputs = {name: value["value"] for name, value in state.get("outputs", {}).items()}
    if not found.payload.get("destroy") and not outputs:
        raise Broken("the platform's state has no outputs", hint="operation settle")
    with here.db.write() as session:
        phase = "torn_down" if found.payload.get("destroy") else "ready"
        platforms.record_outputs(session, found.operation.workspace_id, outputs, phase, here.now())
    return {"outputs": sorted(outputs)}


@effect("redeploy", "starting the application's tasks anew")
def redeploy(operation_id: str) -> dict[str, Any]:
    """Tasks that read the secret when they start read it again. The route holds without them: what stands
    in the way is told, and stops nothing."""
    found = subject.load(operation_id)
    outputs = found.platform.outputs if found.platform else {}
    cluster, service = str(outputs.get("cluster") or ""), str(outputs.get("service") or "")
    if not cluster or not service:
        return {"begun": False, "detail": "the platform has no service"}
    try:
        made = world().ports.cloud.redeploy(cluster, service)
    except ControlPlaneError as error:
        begun, detail = False, error.message
    else:
        begun, detail = made.begun, made.detail
    if begun:
        say(operation_id, "deployment", detail)
    else:
        say(operation_id, "warning", f"the application's tasks were not started anew: {detail}")
    return {"begun": begun, "detail": detail}
