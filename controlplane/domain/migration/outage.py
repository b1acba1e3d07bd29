"""How long a move keeps its application out: what a plan's attributes cannot tell."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.domain.migration.states import Strategy
from controlplane.domain.plan.forecast import Outage

# From the fence to the open target. At the approved outage the fence lapses: it never stands longer.
_LEAST_SECONDS: Mapping[Strategy, int] = {
    Strategy.SNAPSHOT_RESTORE: 300,  # a snapshot and a restore, also of an empty database
    Strategy.LOGICAL_REPLICATION: 5,  # the last rows, the comparison, and the way back
    Strategy.RDS_BLUE_GREEN: 60,  # the comparison, and RDS's switchover
}


def of_move(strategy: Strategy, approved_minutes: int, changes: Outage) -> Outage:
    """In place the changes of the plan are all there is; otherwise the fence is."""
    least = _LEAST_SECONDS.get(strategy)
    if least is None:
        return changes
    most = approved_minutes * 60
    return Outage(min(least, most), most)
