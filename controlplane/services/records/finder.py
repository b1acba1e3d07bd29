"""The three-way look: every database that somebody knows and somebody else does not, with its safe next step.

Reads only. What an operation is at work on is shown with it: it may be half-way on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import Unavailable
from controlplane.domain.migration.bluegreen import is_side_of
from controlplane.domain.plan.settle import read_state
from controlplane.domain.plan.situations import LEFT_GONE, find_situation
from controlplane.ports import DatabaseInstance
from controlplane.services.actor import Action, Actor
from controlplane.services.adoption import fleet
from controlplane.services.control import Control, plain
from controlplane.services.drift import shared
from controlplane.services.drift.shared import SharedDatabase
from controlplane.store import slots
from controlplane.store.slots import Standing

_OURS = "controlplane"
_LEAVING = ("deleting", "deleted")


@dataclass(frozen=True)
class Known:
    """By identifier: who knows of it."""

    catalog: Mapping[str, Standing]
    states: Mapping[str, str]  # whose workspace
    aws: Mapping[str, DatabaseInstance]
    shared: Sequence[SharedDatabase] = ()  # platforms' own, which stand in the catalog with them

    def identifiers(self) -> list[str]:
        """What carries neither our mark nor our record is somebody else's."""
        ours = {i for i, one in self.aws.items() if one.tags.get("managed-by") == _OURS}
        return sorted({*self.catalog, *self.states, *ours})


def orphans(control: Control, actor: Actor) -> dict[str, Any]:
    """Everything that not all three know. Nobody looks into a database that tenants share: it is named."""
    actor.require(Action.READ_FLEET)
    known = look(control)
    items = [view for i in known.identifiers() if (view := _view(known, i)) and _sees(actor, view)]
    unseen = [_closed(one) for one in known.shared if one.identifier in known.aws]
    return {
        "items": items,
        "not_looked_into": unseen if actor.sees_everything else [],
        "looked_at": plain(control.now()),
        "next_page_token": None,
    }


def look(control: Control) -> Known:
    there = {one.identifier: one for one in fleet(control) if one.status not in _LEAVING}
    with control.db.read() as session:
        recorded = {row.identifier: row for row in slots.standing(session, control.region)}
        of_platforms = shared.of_platforms(control, session)
    recorded |= {one.identifier: Standing(one.identifier, "", one.busy_with) for one in of_platforms}
    return Known(recorded, dict(_stated(control)), there, of_platforms)


def _stated(control: Control) -> Iterator[tuple[str, str]]:
    """Databases of this region in the newest state of every workspace."""
    if control.states is None:
        raise Unavailable("the states cannot be read here", hint="controlplane doctor")
    states = control.states()
    for workspace in states.workspaces():
        found = states.newest(workspace)
        for one in read_state(json.loads(found.content) if found else None).values():
            arn = str(one.attributes.get("arn", ""))
            if one.type == "aws_db_instance" and f":{control.region}:" in (arn or f":{control.region}:"):
                yield str(one.attributes.get("identifier", one.address)), workspace


def _view(known: Known, identifier: str) -> dict[str, Any] | None:
    recorded, instance = known.catalog.get(identifier), known.aws.get(identifier)
    if _is_known_side(known, identifier):
        return None
    situation = (
        LEFT_GONE
        if recorded is not None and recorded.is_beside
        else find_situation(
            in_catalog=recorded is not None,
            in_state=identifier in known.states,
            in_aws=instance is not None,
            ours=instance is not None and instance.tags.get("managed-by") == _OURS,
        )
    )
    if situation.is_fine:
        return None
    tags = instance.tags if instance else {}
    return {
        "id": identifier,
        "identifier": identifier,
        "tenant": (recorded.slug or None) if recorded else tags.get("tenant"),
        "in_catalog": recorded is not None,
        "in_state": identifier in known.states,
        "in_aws": instance is not None,
        "situation": situation.name,
        "meaning": situation.meaning,
        "next_step": situation.next_step,
        "for_a_person": situation.for_a_person,
        "operation": (recorded.busy_with or None) if recorded else None,
    }


def _is_known_side(known: Known, identifier: str) -> bool:
    """What a switchover left is none of Terraform's; what is to take over belongs to who is at work on it."""
    recorded = known.catalog.get(identifier)
    if recorded is not None:
        return recorded.is_beside and identifier in known.aws
    return is_side_of(identifier, [name for name, one in known.catalog.items() if one.busy_with])


def _closed(one: SharedDatabase) -> dict[str, Any]:
    """A schema that no tenant has would not be found."""
    why = f"the schemas of its {len(one.tenants)} tenants are not compared with the catalog"
    return {"identifier": one.identifier, "platform": one.workspace, "why": why}


def _sees(actor: Actor, view: Mapping[str, Any]) -> bool:
    """What no record names is shown to who sees everything."""
    named = view["in_catalog"] and view["tenant"]
    return actor.sees(str(view["tenant"])) if named else actor.sees_everything
