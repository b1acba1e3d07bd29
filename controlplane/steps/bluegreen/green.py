"""The green side until the switchover: asked for, made, following, and compared behind the fence."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.migration.bluegreen import Source, objections
from controlplane.domain.migration.states import Flip, State, Strategy
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import BlueGreen, Login
from controlplane.steps import moving, replicating, subject, targets
from controlplane.steps.credentials import login, tags_of
from controlplane.steps.story import effect, say
from controlplane.steps.subject import Subject
from controlplane.steps.world import world
from controlplane.store.moves import Migration

_MAKING_SECONDS = 24 * 3600.0  # RDS reads the whole storage
_SLOWEST_LOOK = 30.0
_ARRIVAL_SECONDS = 120.0
_CANARY = "V6"  # a side that follows takes none: it is tried behind the switchover


def name_of(row: Migration) -> str:
    """Of the deployment; one that is asked for twice is the same one."""
    return f"controlplane-{row.id.lower()}"


@effect("check_green", "looking whether RDS can make a green side")
def check(operation_id: str) -> dict[str, Any]:
    """What RDS would refuse in the middle of it. Reads only."""
    found, row = subject.load(operation_id), moving.of(operation_id)
    cloud = world().ports.cloud
    if row.flip != Flip.OPEN or cloud.blue_green(name_of(row)) is not None:
        return {}
    slot = moving.slot_at(found, row.from_epoch)
    instance = cloud.database(slot.identifier)
    if instance is None:
        raise Conflict(f"the database {slot.identifier} is not there", hint="tenant explain SLUG")
    wanted = targets.target_of(found)
    asked = Source(
        identifier=slot.identifier,
        backup_days=instance.backup_retention_days,
        engine_version=instance.engine_version,
        storage_gb=instance.storage_gb,
        wanted_gb=wanted.storage_gb,
        wanted_class=_class_of(wanted),
        orderable=cloud.orderable_classes(instance.engine_version),
        pending=tuple(instance.pending),
        replicas=instance.replicas,
        encrypted=instance.encrypted,
    )
    against = objections(asked)
    if against:
        raise Refused(
            f"{found.the_tenant().slug} cannot move by rds_blue_green: "
            + "; ".join(one.why for one in against),
            hint="; ".join(one.hint for one in against),
        )
    return {"class": asked.wanted_class}


def _class_of(slot: SlotSpec) -> str:
    return world().catalog.sizes[slot.size].instance_class


@effect("make_green", "waiting until RDS has made the green side")
def make(operation_id: str) -> dict[str, Any]:
    """While the application goes on. What an earlier try began is gone on with."""
    row = moving.require_open(operation_id)
    found = subject.load(operation_id)
    slot = moving.slot_at(found, row.from_epoch)
    moving.reach(row.id, State.SEEDING)
    made = world().ports.cloud.begin_blue_green(
        name_of(row), slot.identifier, _class_of(targets.target_of(found)), tags_of(found.the_tenant(), slot)
    )
    moving.keep(row.id, "receipts", {"deployment": {"name": made.name, "identifier": made.identifier}})
    made = _available(operation_id, row)
    moving.reach(row.id, State.TARGET_READY)
    say(operation_id, "green", f"{made.green} follows {made.blue}")
    return {"green": made.green}


def _available(operation_id: str, row: Migration) -> BlueGreen:
    deadline, pause = time.monotonic() + _MAKING_SECONDS, world().poll_seconds
    while True:
        moving.require_wanted(operation_id)
        seen = deployment(row)
        if seen.status == "available":
            return seen
        if seen.status != "provisioning" or time.monotonic() > deadline:
            raise Conflict(
                f"the green side of {seen.blue} is {seen.status}: {seen.detail or 'RDS says no more'}",
                hint="look at the deployment in RDS, or: --strategy logical_replication",
            )
        time.sleep(pause)
        pause = min(1.5 * pause, _SLOWEST_LOOK)


def deployment(row: Migration) -> BlueGreen:
    seen = world().ports.cloud.blue_green(name_of(row))
    if seen is None:
        raise Conflict(f"the deployment {name_of(row)} is gone: somebody deleted it", hint="ask again")
    return seen


def sides(found: Subject, row: Migration) -> tuple[Login, Login]:
    """How to reach the two before the switchover. The green one has the blue one's logins."""
    tenant, slot = found.the_tenant(), moving.slot_at(found, row.from_epoch)
    green = replace(slot, identifier=deployment(row).green)
    return login(tenant, slot, "cp_control"), login(tenant, green, "cp_control")


@effect("follow_green", "waiting until the green side follows closely")
def follow(operation_id: str) -> dict[str, Any]:
    row, found = moving.require_open(operation_id), subject.load(operation_id)
    moving.reach(row.id, State.CATCHING_UP)
    blue, green = sides(found, row)
    look = lambda: moving.require_wanted(operation_id)  # noqa: E731
    slowest = replicating.follows_closely(blue, green, row.token, look)
    say(operation_id, "replication", f"the green side follows: its slowest sentinel took {slowest:.2f} s")
    return {"slowest_seconds": round(slowest, 3)}


@effect("compare_green", "comparing the green side with the one that is left")
def compare(operation_id: str) -> dict[str, Any]:
    """All but the canary, behind the fence, which the green side has got too: RDS itself compares nothing."""
    row, found = moving.require_open(operation_id), subject.load(operation_id)
    blue, green = sides(found, row)
    replicating.send(blue, green, row.token, _ARRIVAL_SECONDS)
    return targets.judge(row, world().ports.migration.verify(blue, green, row.token), without=_CANARY)


def end(row: Migration) -> bool:
    """Take back what RDS made before the switchover; False: RDS lets nobody just now."""
    if row.strategy != Strategy.RDS_BLUE_GREEN:
        return True
    cloud, name = world().ports.cloud, name_of(row)
    seen = cloud.blue_green(name)
    if seen is None:
        return True
    try:
        cloud.end_blue_green(name)
    except Conflict:
        return False
    return cloud.blue_green(name) is None
