"""What may be done without being asked: steps down of selected tenants, within an allow window; and reviews,
which change nothing before a person merges them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.rightsizing import Finding
from controlplane.domain.selectors import parse_selector
from controlplane.domain.windows import Effect, Window, is_open, parse_window
from controlplane.services.control import Ask, Control
from controlplane.services.reviews.machine import may_open_reviews
from controlplane.services.rightsizing import deciding
from controlplane.services.rightsizing.proposing import ACTOR
from controlplane.store.fleet import databases, recommendations
from controlplane.store.fleet.rows import Recommendation
from controlplane.store.guard import windows


@dataclass(frozen=True)
class Found:
    """An open recommendation, and whose it is as selectors see it."""

    row: Recommendation
    subject: Mapping[str, str]


def act(control: Control, uids: Sequence[str]) -> Counter[str]:
    """How many were applied or proposed, and how many of those refused; what is refused stays open."""
    counts: Counter[str] = Counter()
    if not uids or not (control.rightsizing_alone or control.machine_reviews):
        return counts
    applies = _applies_alone(control)
    for found in _open(control, frozenset(uids)):
        if applies(found):
            words, auto_approve = "applied_alone", True
        elif may_open_reviews(control, found.subject):
            words, auto_approve = "reviewed", False
        else:
            continue
        why = "a step down that policy allows by itself" if auto_approve else ""
        try:
            deciding.propose(control, ACTOR, found.row.id, Ask(why, auto_approve=auto_approve))
            counts[words] += 1
        except ControlPlaneError:
            counts[f"not_{words}"] += 1
    return counts


def _open(control: Control, uids: frozenset[str]) -> list[Found]:
    """Of those, whose database nobody changes right now."""
    with control.db.read() as session:
        rows = recommendations.page(session, ("open",), 10_000)
        subjects = {
            d.uid: d.selectable
            for d in databases.every(session, control.region, control.cell_of_many)
            if d.is_routed and not d.busy_with
        }
    return [Found(r, subjects[r.tenant_uid]) for r in rows if r.tenant_uid in uids & subjects.keys()]


def _applies_alone(control: Control) -> Callable[[Found], bool]:
    selector = parse_selector(control.rightsizing_alone) if control.rightsizing_alone else None
    now = control.now()
    with control.db.read() as session:
        known = [
            parse_window(w.name, w.effect, w.cron, w.minutes, w.zone, selector=w.selector)
            for w in windows.every(session)
        ]

    def applies(found: Found) -> bool:
        is_down = found.row.finding == Finding.OVERPROVISIONED and found.row.kind == "resize"
        named = selector is not None and selector.matches(found.subject)
        return is_down and named and _in_a_window(known, found.subject, now)

    return applies


def _in_a_window(known: Sequence[Window], subject: Mapping[str, str], now: datetime) -> bool:
    """Somebody must have said when: without an allow window nothing is done by itself."""
    allowed = any(w.effect is Effect.ALLOW and w.selector.matches(subject) for w in known)
    return allowed and is_open(known, subject, now)
