"""What RDS would refuse of a resize, said before anything is planned, each time with the way that works."""

from __future__ import annotations

from typing import Any

from controlplane.catalog.prices.model import load_model
from controlplane.domain.cost.gate import check_band
from controlplane.domain.errors import Conflict, Refused
from controlplane.domain.plan.resize import Classes, Current, Objection, Wanted, check_resize
from controlplane.domain.tenant import Size, Stage, cost_tier
from controlplane.domain.workspace import SlotSpec
from controlplane.ports import DatabaseInstance
from controlplane.steps import judging, subject
from controlplane.steps.story import effect, say
from controlplane.steps.world import world
from controlplane.store import history

_PEAK_DAYS = 14


@effect("check_resize", "asking whether RDS can do this")
def check(operation_id: str) -> dict[str, Any]:
    """Reads only. All objections at once, so that they are mended at once."""
    found = subject.load(operation_id)
    before = found.route_slot()
    after = next(s for s in found.wanted() if s.epoch == before.epoch)
    instance = world().ports.cloud.database(before.identifier)
    if instance is None:
        raise Conflict(
            f"the database {before.identifier} is not there",
            hint=f"controlplane tenant reconcile {found.the_tenant().slug}",
        )
    objections = _objections(found, instance, before, after)
    for objection in objections:
        if not objection.blocks:
            say(operation_id, "warning", f"{objection.message}; {objection.way}")
    refuse(found.the_tenant().slug, [o for o in objections if o.blocks])
    return {"class": instance.instance_class, "status": instance.status}


def _objections(
    found: subject.Subject, instance: DatabaseInstance, before: SlotSpec, after: SlotSpec
) -> list[Objection]:
    cloud, sizes = world().ports.cloud, world().catalog.sizes
    wanted = Wanted(sizes[after.size].instance_class, after.storage_gb)
    moves = wanted.instance_class != instance.instance_class
    with world().db.read() as session:
        last = history.last_change_of(session, found.the_tenant().uid, "storage_gb")
    current = Current(
        status=instance.status,
        instance_class=instance.instance_class,
        spec_storage_gb=before.storage_gb,
        storage_gb=instance.storage_gb,
        last_storage_change_at=last,
        peak_connections=cloud.peak_connections(before.identifier, _PEAK_DAYS) if moves else None,
    )
    classes = Classes(
        {sizes[size].instance_class: sizes[size].max_connections for size in Size},
        (cloud.orderable_classes(instance.engine_version) or None) if moves else None,
    )
    objections = check_resize(current, wanted, classes, world().now())
    return [*objections, *_outside_its_band(found, after)]


def _outside_its_band(found: subject.Subject, after: SlotSpec) -> list[Objection]:
    """A size has its tier, and a tier its band of cost: who leaves it takes another size."""
    change = judging.cost_change(found)
    if change is None:
        return []
    tier = cost_tier(Stage(found.the_tenant().stage), after.size)
    left = check_band(load_model(), tier, change.after)
    if left is None:
        return []
    fitting = left.evidence.get("fitting", "none")
    return [Objection("cost_band", left.message, f"resize to a size whose tier fits ({fitting}) as well")]


def refuse(slug: str, objections: list[Objection]) -> None:
    if objections:
        said = "; ".join(o.message for o in objections)
        details = {"objections": [{"code": o.code, "message": o.message, "way": o.way} for o in objections]}
        ways = "; ".join(o.way for o in objections)
        raise Refused(f"{slug} cannot be resized: {said}", hint=ways, details=details)
