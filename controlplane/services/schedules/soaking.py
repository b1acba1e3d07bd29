"""Tenants that soak are looked at by the clock, in each cell by its workers: only they reach databases."""

from __future__ import annotations

from controlplane.domain.errors import ControlPlaneError
from controlplane.services.actor import Actor
from controlplane.services.control import Control
from controlplane.steps import soaking
from controlplane.store import moves


def watch(control: Control, actor: Actor) -> list[str]:
    """What somebody has to know, in words. One that cannot be looked at keeps nobody from the others."""
    with control.db.read() as session:
        ids = [row.id for row in moves.serving(session, control.cell_of_many)]
    said = []
    for id_ in ids:
        try:
            said.append(soaking.look(id_, actor.name))
        except ControlPlaneError as error:
            said.append(f"{id_} could not be looked at: {error.message}")
    return [line for line in said if line]
