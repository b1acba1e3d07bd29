"""What old runs and states left behind goes by the clock."""

from __future__ import annotations

from datetime import timedelta

from controlplane.services.actor import Actor
from controlplane.services.control import Control
from controlplane.store import audit, retention


def tidy(control: Control, actor: Actor) -> dict[str, int]:
    """Each kind in a transaction of its own; what went stands in the audit. Safe to repeat."""
    if control.retention_days <= 0:
        return {}
    before = control.now() - timedelta(days=control.retention_days)
    with control.db.write() as session:
        gone = {"files": retention.drop_runs(session, before, logs=False)}
    with control.db.write() as session:
        gone["lines"] = retention.drop_runs(session, before, logs=True)
    with control.db.write() as session:
        gone["states"] = retention.drop_states(session, before, control.retention_states)
        if any(gone.values()):
            audit.append(
                session,
                at=control.now(),
                actor=actor.name,
                action="retention.applied",
                subject="catalog",
                origin=actor.origin,
                after={**gone, "before": before.isoformat()},
            )
    return gone
