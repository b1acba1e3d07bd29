"""What a tenant is by its size: its class, the database that fits it, and where it may live."""

from __future__ import annotations

import pytest

from controlplane.domain.errors import Invalid
from controlplane.domain.tenant import (
    LADDER,
    CustomerClass,
    Environment,
    Size,
    Stage,
    TenantSpec,
    check_spec,
    customer_class,
    default_size,
)

THERE = Environment.PRODUCTION


@pytest.mark.parametrize(
    ("locations", "users", "wanted"),
    [
        (1, 1, "small"),
        (3, 9, "small"),
        (4, 9, "medium"),
        (3, 10, "medium"),
        (10, 30, "medium"),
        (5, 30, "medium"),
        (11, 9, "large"),
        (2, 31, "large"),
        (2, 40, "large"),
    ],
)
def test_the_higher_of_locations_and_users_decides_the_class(locations: int, users: int, wanted: str) -> None:
    assert customer_class(locations, users) is CustomerClass(wanted)


def test_a_class_has_its_database_and_production_none_below_small() -> None:
    fitting = [default_size(Stage.PRODUCTION, locations, 1) for locations in (1, 4, 11)]
    assert fitting == [Size.SMALL, Size.SMALL, Size.MEDIUM]
    assert {default_size(Stage.POC, locations, 1) for locations in (1, 4, 11)} == {Size.MICRO}


def test_the_ladder_has_the_large_class_above_all() -> None:
    assert list(LADDER) == [Size.MICRO, Size.SMALL, Size.MEDIUM, Size.LARGE]


@pytest.mark.parametrize("needs", ["paying", "sla", "sensitive"])
def test_who_pays_has_an_sla_or_sensitive_data_is_no_poc(needs: str) -> None:
    with pytest.raises(Invalid, match="must be in production"):
        check_spec(TenantSpec(**{needs: True}))
    check_spec(TenantSpec(stage=Stage.PRODUCTION, size=Size.SMALL, environment=THERE, **{needs: True}))


def test_micro_in_production_needs_a_recorded_decision() -> None:
    with pytest.raises(Invalid, match="recorded right-sizing decision"):
        check_spec(TenantSpec(stage=Stage.PRODUCTION, size=Size.MICRO, environment=THERE))
    decided = TenantSpec(
        stage=Stage.PRODUCTION, size=Size.MICRO, environment=THERE, rightsizing_decision="ann: two users"
    )
    check_spec(decided)
