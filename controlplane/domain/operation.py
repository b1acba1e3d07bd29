"""An operation: one durable change of one workspace, its statuses and their legal order."""

from __future__ import annotations

from enum import StrEnum

from controlplane.domain.errors import IllegalTransition


class Kind(StrEnum):
    CREATE = "create"
    RESIZE = "resize"
    UPGRADE = "upgrade"
    FINALIZE = "finalize"
    ROLLBACK = "rollback"
    SUSPEND = "suspend"
    RESUME = "resume"
    DESTROY = "destroy"
    RESTORE = "restore"
    ADOPT = "adopt"
    RECONCILE = "reconcile"
    ROTATE = "rotate"
    ROLLOUT = "rollout"
    DRILL = "drill"
    PLATFORM = "platform"


class Status(StrEnum):
    PENDING = "pending"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_WINDOW = "awaiting_window"
    APPLYING = "applying"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    NO_CHANGES = "no_changes"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    PARTIALLY_APPLIED = "partially_applied"
    FAILED = "failed"
    NEEDS_OPERATOR = "needs_operator"


FINAL = frozenset(
    {
        Status.SUCCEEDED,
        Status.NO_CHANGES,
        Status.REJECTED,
        Status.CANCELLED,
        Status.PARTIALLY_APPLIED,
        Status.FAILED,
    }
)
# Not final, but the workflow has ended: only a person (`operation settle`) goes on from here.
HELD = frozenset({Status.NEEDS_OPERATOR})
# Holding the workspace's slot with a workflow that is running or waiting.
RUNNING = frozenset(
    {Status.PLANNING, Status.AWAITING_APPROVAL, Status.AWAITING_WINDOW, Status.APPLYING, Status.VERIFYING}
)

_S = Status
_END = frozenset({_S.CANCELLED, _S.FAILED, _S.NEEDS_OPERATOR})
STATUS_TRANSITIONS: dict[Status, frozenset[Status]] = {
    _S.PENDING: frozenset({_S.PLANNING, _S.VERIFYING, _S.REJECTED}) | _END,
    _S.PLANNING: frozenset(
        {_S.AWAITING_APPROVAL, _S.AWAITING_WINDOW, _S.APPLYING, _S.VERIFYING, _S.NO_CHANGES, _S.REJECTED}
    )
    | _END,
    _S.AWAITING_APPROVAL: frozenset({_S.PLANNING, _S.AWAITING_WINDOW, _S.APPLYING, _S.REJECTED}) | _END,
    _S.AWAITING_WINDOW: frozenset({_S.PLANNING, _S.AWAITING_APPROVAL, _S.APPLYING, _S.REJECTED}) | _END,
    _S.APPLYING: frozenset({_S.PLANNING, _S.VERIFYING, _S.SUCCEEDED, _S.PARTIALLY_APPLIED}) | _END,
    _S.VERIFYING: frozenset({_S.PLANNING, _S.APPLYING, _S.SUCCEEDED, _S.NO_CHANGES, _S.PARTIALLY_APPLIED})
    | _END,
    # A person settles: by finishing it, by taking it up again, or by ending it.
    _S.NEEDS_OPERATOR: frozenset(
        {_S.PENDING, _S.PLANNING, _S.SUCCEEDED, _S.PARTIALLY_APPLIED, _S.CANCELLED, _S.FAILED}
    ),
    **{status: frozenset() for status in FINAL},
}


def check_status(current: Status, following: Status) -> None:
    if following != current and following not in STATUS_TRANSITIONS[current]:
        raise IllegalTransition(
            f"an operation that is {current} cannot become {following}",
            details={"from": current.value, "to": following.value},
        )


def is_final(status: Status) -> bool:
    return status in FINAL
