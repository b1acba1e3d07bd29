"""How full a quota is, when a tenant no longer fits, and what is kept for migrations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.quotas import State, Use, admit, standing

INSTANCES = Use("rds_instances", limit=40, used=0, a_tenant=1, reserve=2)


def used(count: int | None, **facts: int) -> Use:
    return Use(**{"name": "rds_instances", "limit": 40, "used": count, "a_tenant": 1, "reserve": 2, **facts})


@pytest.mark.parametrize(
    ("count", "state"),
    [(0, State.FINE), (27, State.FINE), (28, State.WARN), (33, State.WARN), (34, State.REFUSE)],
)
def test_seventy_percent_warns_and_ninety_less_the_reserve_refuses(count: int, state: State) -> None:
    assert admit(used(count), 1) is state


def test_a_migration_may_use_what_is_kept_for_migrations() -> None:
    assert admit(used(34), 1) is State.REFUSE
    assert admit(used(34), 1, may_use_reserve=True) is not State.REFUSE
    assert admit(used(36), 1, may_use_reserve=True) is State.REFUSE


def test_what_adds_nothing_is_never_refused() -> None:
    assert admit(used(40), 0) is State.WARN


@pytest.mark.parametrize(("count", "left"), [(0, 34), (30, 4), (34, 0), (40, 0)])
def test_a_standing_says_how_many_tenants_still_fit(count: int, left: int) -> None:
    assert standing(used(count)).tenants_left == left


def test_a_tenant_that_uses_several_fits_fewer_times() -> None:
    assert standing(used(0, limit=100, a_tenant=6, reserve=0)).tenants_left == 15
    assert standing(used(10, a_tenant=0)).tenants_left is None


def test_unknown_use_is_unknown_and_not_free() -> None:
    found = standing(used(None))
    assert (found.state, found.percent, found.tenants_left) == (State.UNKNOWN, None, None)
    assert admit(used(None), 1) is State.UNKNOWN


@given(st.integers(1, 10_000), st.integers(0, 10_000), st.integers(1, 10), st.integers(0, 5))
def test_who_is_let_in_as_often_as_it_is_said_fits_exactly(
    limit: int, count: int, each: int, reserve: int
) -> None:
    use = Use("q", limit, count, each, reserve)
    left = standing(use).tenants_left
    assert left is not None
    assert all(
        (admit(Use("q", limit, count + n * each, each, reserve), each) is State.REFUSE) == (n >= left)
        for n in {0, left - 1, left, left + 1}
        if n >= 0
    )
