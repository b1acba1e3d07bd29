"""A migration's arrows, all of them: what is legal stands here by hand, everything else is refused."""

from __future__ import annotations

import itertools

import pytest

from controlplane.domain.errors import IllegalTransition
from controlplane.domain.migration.states import (
    AFTER_FLIP,
    FINAL,
    OF_TENANT,
    ON_LAPSE,
    PATHS,
    Flip,
    State,
    Strategy,
    check,
    is_reached,
    legal,
    may_flip,
)

RESTORED = "requested preflight approved fencing fenced drained seeding target_ready verified"
COPIED = "seeding catching_up preverified fencing fenced drained verified"
REPLICATED = f"requested preflight approved target_ready {COPIED}"
FOLLOWED = "seeding target_ready catching_up fencing fenced drained verified"
SWITCHED = f"requested preflight approved {FOLLOWED}"
ARROWS = {
    Strategy.SNAPSHOT_RESTORE: [f"{RESTORED} reverse_armed flipped open soaking"],
    Strategy.LOGICAL_REPLICATION: [f"{REPLICATED} reverse_armed flipped open soaking"],
    Strategy.RDS_BLUE_GREEN: [f"{SWITCHED} flipped open soaking"],
    Strategy.IN_PLACE: ["requested preflight approved target_ready verified open complete"],
}
LATER = {
    "soaking reversed",
    "soaking finalizing",
    "open reversed",
    "flipped reversed",
    "finalizing complete",
    "finalizing soaking",
    "unfencing rolled_back",
    "unfencing needs_operator",
}
BEFORE_THE_FLIP = set(State) - AFTER_FLIP - FINAL


def arrows(strategy: Strategy) -> set[tuple[State, State]]:
    """Along its path, on from the switch, back before it, and by a person; whoever restores a snapshot may
    have no way to send rows back."""
    named = {pair for line in ARROWS[strategy] for pair in itertools.pairwise(line.split())}
    named |= {(one, two) for one, two in (line.split() for line in LATER)}
    found = {(State(one), State(two)) for one, two in named}
    if strategy is Strategy.SNAPSHOT_RESTORE:
        found.add((State.VERIFIED, State.FLIPPED))
    found |= {(one, two) for one in BEFORE_THE_FLIP for two in (State.UNFENCING, State.ROLLED_BACK)}
    living = set(State) - FINAL
    found |= {(one, State.NEEDS_OPERATOR) for one in living} | {(State.NEEDS_OPERATOR, two) for two in State}
    return found | {(one, one) for one in State}


@pytest.mark.parametrize("strategy", PATHS)
def test_these_arrows_are_legal_and_no_others(strategy: Strategy) -> None:
    allowed = {pair for pair in itertools.product(State, State) if legal(strategy, *pair)}
    assert allowed == arrows(strategy)


@pytest.mark.parametrize("strategy", PATHS)
def test_an_illegal_arrow_is_refused_by_name(strategy: Strategy) -> None:
    with pytest.raises(IllegalTransition, match="requested cannot become flipped") as caught:
        check(strategy, State.REQUESTED, State.FLIPPED)
    assert caught.value.details == {"from": "requested", "to": "flipped"}
    check(strategy, State.REQUESTED, State.PREFLIGHT)


@pytest.mark.parametrize("strategy", PATHS)
@pytest.mark.parametrize("final", sorted(FINAL))
def test_nothing_follows_an_end(strategy: Strategy, final: State) -> None:
    assert [s for s in State if s is not final and legal(strategy, final, s)] == []


@pytest.mark.parametrize("strategy", [s for s in PATHS if State.FLIPPED in PATHS[s]])
def test_whoever_switches_was_fenced_drained_and_verified_before(strategy: Strategy) -> None:
    path = PATHS[strategy]
    order = [path.index(s) for s in (State.FENCED, State.DRAINED, State.VERIFIED, State.FLIPPED, State.OPEN)]
    assert order == sorted(order)
    if State.REVERSE_ARMED in path:
        assert path.index(State.REVERSE_ARMED) < path.index(State.FLIPPED)


@pytest.mark.parametrize("strategy", PATHS)
def test_what_lies_behind_is_reached_and_nothing_else(strategy: Strategy) -> None:
    path = PATHS[strategy]
    for (here, current), (there, wanted) in itertools.product(enumerate(path), enumerate(path)):
        assert is_reached(strategy, current, wanted) == (here >= there)


def test_who_may_switch_has_done_all_that_comes_before() -> None:
    ready = {strategy: {s for s in State if may_flip(strategy, s)} for strategy in PATHS}
    assert ready == {
        Strategy.SNAPSHOT_RESTORE: {State.VERIFIED, State.REVERSE_ARMED},
        Strategy.LOGICAL_REPLICATION: {State.REVERSE_ARMED},
        Strategy.RDS_BLUE_GREEN: {State.VERIFIED},
        Strategy.IN_PLACE: set(),
    }


@pytest.mark.parametrize("beside", [State.REVERSED, State.FINALIZING, State.COMPLETE, State.ROLLED_BACK])
def test_beyond_its_path_everything_on_it_is_behind(beside: State) -> None:
    assert is_reached(Strategy.SNAPSHOT_RESTORE, beside, State.OPEN)


@pytest.mark.parametrize("beside", [State.UNFENCING, State.NEEDS_OPERATOR])
def test_who_left_the_path_has_reached_nothing(beside: State) -> None:
    assert not is_reached(Strategy.SNAPSHOT_RESTORE, beside, State.PREFLIGHT)


def test_a_fence_that_lapses_never_ends_in_a_switch() -> None:
    """What RDS is at, RDS alone ends."""
    assert ON_LAPSE == {Flip.OPEN: Flip.ABORTED, Flip.RETURNING: Flip.FLIPPED}


def test_every_state_is_shown_on_its_tenant() -> None:
    assert set(OF_TENANT) == set(State)


def test_every_strategy_has_a_path() -> None:
    assert set(PATHS) == set(Strategy)
