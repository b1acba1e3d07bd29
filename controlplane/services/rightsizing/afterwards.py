"""What became of what was proposed; and a look at the same metrics once it was applied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog.rightsizing import RightSizing
from controlplane.domain.errors import ControlPlaneError
from controlplane.domain.operation import FINAL, Status
from controlplane.domain.rightsizing import Finding, Window
from controlplane.domain.rightsizing.aftercare import Outcome, Verdict, look_back
from controlplane.domain.tenant import Size, is_down
from controlplane.services.control import Control, new_id
from controlplane.services.reviews.closing import SUPERSEDED
from controlplane.services.rightsizing import measuring
from controlplane.services.rightsizing.measuring import Target
from controlplane.store import operations
from controlplane.store.fleet import databases, recommendations
from controlplane.store.fleet.rows import Recommendation

_NO = (Status.REJECTED, Status.CANCELLED)
_DONE = (Status.SUCCEEDED, Status.NO_CHANGES, Status.PARTIALLY_APPLIED)


def follow_up(control: Control, facts: RightSizing, now: datetime) -> None:
    """Before each scan: close what is decided, look again at what was done."""
    with control.db.write() as session:
        for row in recommendations.proposed(session):
            _follow(session, row, facts, now)
    for row in _due(control, facts, now):
        verdict = _look(control, row, facts, now)
        if verdict is not None:
            with control.db.write() as session:
                _conclude(session, row, verdict, now)


def _follow(session: Session, row: Recommendation, facts: RightSizing, now: datetime) -> None:
    operation = operations.get(session, str(row.operation_id))
    status = Status(operation.status)
    if status not in FINAL:
        return
    if status in _DONE:
        values = {"status": "applied", "decided_at": operation.ended_at or now}
    elif status in _NO and operation.error.get("code") != SUPERSEDED:
        # A person said no to the plan: that teaches as much as a dismissal.
        values = {"status": "dismissed", "decision_reason": f"its operation was {status}"}
        decided = {"now": now, "actor": "controlplane", "reason": f"its operation was {status}"}
        days = facts.thresholds.suppress_days
        recommendations.suppress(session, row.tenant_uid, row.signature, days, decided)
    else:
        values = {"status": "ended", "decision_reason": f"its operation ended {status}"}
    recommendations.move(session, row.id, ("proposed",), values)


# --- the look after a change ------------------------------------------------------------------------


def _due(control: Control, facts: RightSizing, now: datetime) -> list[Recommendation]:
    before = now - timedelta(hours=facts.thresholds.after_hours)
    with control.db.read() as session:
        ours = {row.uid for row in databases.every(session, control.region, control.cell_of_many)}
        return [row for row in recommendations.to_look_at(session, before) if row.tenant_uid in ours]


def _look(control: Control, row: Recommendation, facts: RightSizing, now: datetime) -> Verdict | None:
    """None while the metrics cannot be had: it is looked at again with the next scan."""
    t, changed = facts.thresholds, int((row.decided_at or now).timestamp())
    old, new = (facts.step(Size(size)) for size in (row.current_size, row.target_size))
    period = t.period_seconds
    before = Window(changed - t.look_back_days * 86_400, changed, period)
    after = Window(changed, max(changed + period, int(now.timestamp())), period)
    try:
        source = measuring.source(control)
        was = _series(measuring.long_term(source, [Target(row.identifier, old)], before))
        since = _series(measuring.long_term(source, [Target(row.identifier, new)], after))
        hot = _series(measuring.recent(source, [Target(row.identifier, new)], measuring.just_now(now)))
    except ControlPlaneError:
        return None
    return look_back(new, was, {**since, **hot}, t, int(now.timestamp()))


def _series(found: Any) -> dict[str, Any]:
    return {name: series for _, one in found for name, series in one.series.items()}


def _conclude(session: Session, row: Recommendation, verdict: Verdict, now: datetime) -> None:
    """Worse after a step down: going back is proposed, and only proposed. It is no change that a cool-down
    holds up, since it takes one back."""
    words = "; ".join(signal.words for signal in verdict.signals)
    values = {"outcome": verdict.outcome.value, "outcome_words": words, "looked_at": now}
    recommendations.move(session, row.id, ("applied",), values)
    if verdict.outcome is Outcome.WORSE and is_down(row.current_size, row.target_size):
        recommendations.end_open(session, row.tenant_uid, now, "the last change is to be taken back first")
        recommendations.save(session, _back(row, verdict, now))


def _back(row: Recommendation, verdict: Verdict, now: datetime) -> Recommendation:
    reasons: Sequence[dict[str, str]] = [signal.as_json() for signal in verdict.signals]
    delta = None if row.delta_usd is None else -row.delta_usd
    return Recommendation(
        id=new_id("rec"),
        tenant_uid=row.tenant_uid,
        slug=row.slug,
        identifier=row.identifier,
        status="open",
        kind="revert",
        finding=Finding.UNDERPROVISIONED.value,
        signature=f"revert:{row.target_size}:{row.current_size}",
        reasons=list(reasons),
        remarks=[f"worse since {row.id} was applied"],
        current_size=row.target_size,
        target_size=row.current_size,
        monthly_before=row.monthly_after,
        monthly_after=row.monthly_before,
        delta_usd=delta,
        risk="low",
        risk_words="back to the class of before; the database restarts once",
        outage=row.outage,
        revert=f"controlplane tenant resize {row.slug} --size {row.target_size}",
        first_seen_at=now,
        last_seen_at=now,
    )
