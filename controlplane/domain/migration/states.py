"""A migration's states, their legal order by strategy, and the flip that only one side can win."""

from __future__ import annotations

from enum import StrEnum

from controlplane.domain.errors import IllegalTransition
from controlplane.domain.tenant import MigrationState


class Strategy(StrEnum):
    SNAPSHOT_RESTORE = "snapshot_restore"
    IN_PLACE = "in_place"
    LOGICAL_REPLICATION = "logical_replication"
    RDS_BLUE_GREEN = "rds_blue_green"


class State(StrEnum):
    REQUESTED = "requested"
    PREFLIGHT = "preflight"
    APPROVED = "approved"
    TARGET_READY = "target_ready"
    SEEDING = "seeding"
    CATCHING_UP = "catching_up"
    PREVERIFIED = "preverified"
    FENCING = "fencing"
    FENCED = "fenced"
    DRAINED = "drained"
    VERIFIED = "verified"
    REVERSE_ARMED = "reverse_armed"
    FLIPPED = "flipped"
    OPEN = "open"
    SOAKING = "soaking"
    REVERSED = "reversed"
    FINALIZING = "finalizing"
    COMPLETE = "complete"
    UNFENCING = "unfencing"
    ROLLED_BACK = "rolled_back"
    NEEDS_OPERATOR = "needs_operator"


class Flip(StrEnum):
    """Who is the truth. It changes only by compare-and-set: of a flip and its abort one wins."""

    OPEN = "open"  # the source is the truth, and may still be left
    SWITCHING = "switching"  # RDS is at it: the truth is whoever has the name, whatever comes of it
    FLIPPED = "flipped"  # the target is
    ABORTED = "aborted"  # the source is, for good
    RETURNING = "returning"  # the target is, and is being left again
    REVERSED = "reversed"  # the source is again


_S = State
# What each strategy goes through, in its order; states that it does not have are left out.
PATHS: dict[Strategy, tuple[State, ...]] = {
    Strategy.SNAPSHOT_RESTORE: (
        _S.REQUESTED,
        _S.PREFLIGHT,
        _S.APPROVED,
        _S.FENCING,
        _S.FENCED,
        _S.DRAINED,
        _S.SEEDING,  # a snapshot under the fence, and the target restored from it
        _S.TARGET_READY,
        _S.VERIFIED,
        _S.REVERSE_ARMED,
        _S.FLIPPED,
        _S.OPEN,
        _S.SOAKING,
    ),
    Strategy.LOGICAL_REPLICATION: (
        _S.REQUESTED,
        _S.PREFLIGHT,
        _S.APPROVED,
        _S.TARGET_READY,
        _S.SEEDING,  # rows are copied while the application goes on
        _S.CATCHING_UP,
        _S.PREVERIFIED,
        _S.FENCING,
        _S.FENCED,
        _S.DRAINED,
        _S.VERIFIED,
        _S.REVERSE_ARMED,
        _S.FLIPPED,
        _S.OPEN,
        _S.SOAKING,
    ),
    Strategy.RDS_BLUE_GREEN: (
        _S.REQUESTED,
        _S.PREFLIGHT,
        _S.APPROVED,
        _S.SEEDING,  # RDS makes the green side while the application goes on
        _S.TARGET_READY,
        _S.CATCHING_UP,
        _S.FENCING,
        _S.FENCED,
        _S.DRAINED,
        _S.VERIFIED,
        _S.FLIPPED,
        _S.OPEN,
        _S.SOAKING,
    ),
    Strategy.IN_PLACE: (
        _S.REQUESTED,
        _S.PREFLIGHT,
        _S.APPROVED,
        _S.TARGET_READY,
        _S.VERIFIED,
        _S.OPEN,
        _S.COMPLETE,
    ),
}
# States that a strategy goes through where the databases allow it.
MAY_BE_SKIPPED = frozenset({(Strategy.SNAPSHOT_RESTORE, _S.REVERSE_ARMED)})
FINAL = frozenset({_S.REVERSED, _S.COMPLETE, _S.ROLLED_BACK})
AFTER_FLIP = frozenset({_S.FLIPPED, _S.OPEN, _S.SOAKING, _S.FINALIZING})
_LATER: dict[State, frozenset[State]] = {
    _S.SOAKING: frozenset({_S.REVERSED, _S.FINALIZING}),
    _S.OPEN: frozenset({_S.REVERSED}),
    _S.FLIPPED: frozenset({_S.REVERSED}),
    _S.FINALIZING: frozenset({_S.COMPLETE, _S.SOAKING}),
    _S.UNFENCING: frozenset({_S.ROLLED_BACK, _S.NEEDS_OPERATOR}),
}
# What becomes of a flip whose fence lapses before it is done.
ON_LAPSE = {Flip.OPEN: Flip.ABORTED, Flip.RETURNING: Flip.FLIPPED}

_M = MigrationState
OF_TENANT: dict[State, MigrationState] = {
    _S.REQUESTED: _M.PREFLIGHT,
    _S.PREFLIGHT: _M.PREFLIGHT,
    _S.APPROVED: _M.PREPARING,
    _S.TARGET_READY: _M.PREPARING,
    _S.SEEDING: _M.SEEDING,
    _S.CATCHING_UP: _M.CATCHING_UP,
    _S.PREVERIFIED: _M.CATCHING_UP,
    _S.FENCING: _M.FENCED,
    _S.FENCED: _M.FENCED,
    _S.DRAINED: _M.FENCED,
    _S.UNFENCING: _M.FENCED,
    _S.VERIFIED: _M.VERIFIED,
    _S.REVERSE_ARMED: _M.VERIFIED,
    _S.FLIPPED: _M.VERIFIED,
    _S.OPEN: _M.VERIFIED,
    _S.SOAKING: _M.SOAKING,
    _S.FINALIZING: _M.SOAKING,
    _S.REVERSED: _M.ROLLED_BACK,
    _S.ROLLED_BACK: _M.ROLLED_BACK,
    _S.COMPLETE: _M.COMPLETE,
    _S.NEEDS_OPERATOR: _M.NEEDS_OPERATOR,
}


def legal(strategy: Strategy, current: State, following: State) -> bool:
    """Staying is legal, and so is what a person settles."""
    if following == current:
        return True
    if current in FINAL:
        return False
    if following is _S.NEEDS_OPERATOR or current is _S.NEEDS_OPERATOR:
        return True
    later = following in _LATER.get(current, ())
    return later or _calls_off(current, following) or _goes_on(strategy, current, following)


def _calls_off(current: State, following: State) -> bool:
    return following in (_S.UNFENCING, _S.ROLLED_BACK) and current not in AFTER_FLIP


def _goes_on(strategy: Strategy, current: State, following: State) -> bool:
    """Along the path, past nothing but what may be skipped."""
    path = PATHS[strategy]
    if current not in path or following not in path or path.index(following) <= path.index(current):
        return False
    between = path[path.index(current) + 1 : path.index(following)]
    return all((strategy, state) in MAY_BE_SKIPPED for state in between)


def may_flip(strategy: Strategy, current: State) -> bool:
    """Whether all that comes before the switch is done."""
    return _goes_on(strategy, current, State.FLIPPED)


def check(strategy: Strategy, current: State, following: State) -> None:
    if not legal(strategy, current, following):
        raise IllegalTransition(
            f"a migration by {strategy} that is {current} cannot become {following}",
            details={"from": current.value, "to": following.value},
        )


def is_reached(strategy: Strategy, current: State, wanted: State) -> bool:
    """Whether a state of the path lies behind, so that a step which runs again leaves it alone."""
    path = PATHS[strategy]
    if current not in path:
        return current in AFTER_FLIP or current in FINAL
    return wanted in path and path.index(current) >= path.index(wanted)
