"""Reviews of differences that nobody has to ask for: of selected tenants, one for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from controlplane.domain.errors import ControlPlaneError
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.drift import deciding
from controlplane.services.reviews.machine import may_open_reviews
from controlplane.store.fleet import differences
from controlplane.store.fleet.databases import FleetDatabase

ACTOR = Actor("schedule:drift", Role.ADMIN, origin="schedule")


def open_reviews(control: Control, looked_at: Sequence[FleetDatabase]) -> Counter[str]:
    """How many differences stand in reviews now, and how many were refused one."""
    counts: Counter[str] = Counter()
    wanted = {row.uid for row in looked_at if may_open_reviews(control, row.selectable)}
    if not wanted:
        return counts
    with control.db.read() as session:
        rows = [row for row in differences.living(session) if row.tenant_uid in wanted]
    for row in rows:
        # Whose operation is over and who is open again was said no to, or not mended: that is a person's.
        if row.status != "open" or row.operation_id or not deciding.is_mended_by_a_plan(row):
            continue
        try:
            deciding.reconcile(control, ACTOR, row.id, Ask())
            counts["reviewed"] += 1
        except ControlPlaneError:
            counts["not_reviewed"] += 1
    return counts
