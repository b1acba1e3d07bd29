"""What may be done without being asked: steps down of selected tenants, within an allow window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.rightsizing import Finding
from controlplane.domain.selectors import parse_selector, subject_of
from controlplane.domain.windows import Effect, Window, is_open, parse_window
from controlplane.services.actor import Actor, Role
from controlplane.services.control import Ask, Control
from controlplane.services.rightsizing import deciding
from controlplane.store.fleet import databases, recommendations
from controlplane.store.fleet.rows import Recommendation
from controlplane.store.guard import windows

ACTOR = Actor("schedule:rightsizing", Role.ADMIN, origin="schedule")
_FIELDS = ("slug", "stage", "size", "phase", "region", "environment", "blueprint", "cell", "cost_tier")


def apply_what_may(control: Control, uids: Sequence[str]) -> Counter[str]:
    """How many were applied, and how many of those refused; what is refused stays open for a person."""
    counts: Counter[str] = Counter()
    if not control.rightsizing_alone or not uids:
        return counts
    for row in _permitted(control, frozenset(uids)):
        try:
            deciding.apply(control, ACTOR, row.id, Ask(reason="a step down that policy allows by itself"))
            counts["applied_alone"] += 1
        except ControlPlaneError:
            counts["not_applied_alone"] += 1
    return counts


def _permitted(control: Control, uids: frozenset[str]) -> list[Recommendation]:
    selector, now = parse_selector(control.rightsizing_alone), control.now()
    with control.db.read() as session:
        rows = recommendations.page(session, ("open",), 10_000)
        subjects = {
            d.uid: subject_of({name: getattr(d, name) for name in _FIELDS}, d.labels)
            for d in databases.every(session, control.region, control.cell_of_many)
            if d.is_routed and not d.busy_with
        }
        known = [
            parse_window(w.name, w.effect, w.cron, w.minutes, w.zone, selector=w.selector)
            for w in windows.every(session)
        ]
    return [
        row
        for row in rows
        if row.tenant_uid in uids and row.tenant_uid in subjects
        if row.finding == Finding.OVERPROVISIONED and row.kind == "resize"
        if selector.matches(subjects[row.tenant_uid]) and _in_a_window(known, subjects[row.tenant_uid], now)
    ]


def _in_a_window(known: Sequence[Window], subject: Mapping[str, str], now: datetime) -> bool:
    """Somebody must have said when: without an allow window nothing is done by itself."""
    allowed = any(w.effect is Effect.ALLOW and w.selector.matches(subject) for w in known)
    return allowed and is_open(known, subject, now)
