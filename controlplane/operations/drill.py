"""drill: what a backup is worth is known once it was restored, beside its tenant, and removed again."""

from __future__ import annotations

from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Phase
from controlplane.operations.types import OperationType, Request, Round, offer
from controlplane.steps import credentials, drilling, probing, restoring, slots


class Drill(Request):
    """The newest backup, beside the tenant: there is nothing to say."""


_REMOVE = 1

DRILL = offer(
    OperationType(
        kind=Kind.DRILL,
        summary="Restore its newest backup beside it, verify it, measure RTO and RPO, and remove the copy",
        request=Drill,
        rounds=(
            Round(
                "restore",
                prepare=(restoring.check_snapshot, drilling.choose_backup, credentials.ensure_master),
                complete=(probing.converge, slots.settle, drilling.answer, drilling.examine),
                phase=Phase.PROVISIONING,
            ),
            Round(
                "remove",
                destroys=True,
                complete=(
                    probing.require_gone,
                    credentials.forget,
                    drilling.forget_copy,
                    slots.retire,
                    drilling.conclude,
                ),
                phase=Phase.TEARING_DOWN,
            ),
        ),
        done_phase=Phase.TORN_DOWN,
        from_phases=frozenset({Phase.READY}),
        tidies=_REMOVE,
        unwind=drilling.leave_nothing,
    )
)
