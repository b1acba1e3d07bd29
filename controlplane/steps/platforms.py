"""A platform's outputs: read from its state, recorded, and rendered as literals into its tenants."""

from __future__ import annotations

from typing import Any

from controlplane.domain.errors import Broken
from controlplane.domain.names import WorkspaceId
from controlplane.steps import subject
from controlplane.steps.story import effect
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
