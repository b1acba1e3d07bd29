"""A tenant's way in: its rule on the listener comes, moves and goes with its databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from controlplane.domain.errors import Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Drill, Finalize
from controlplane.services import operations as asking
from controlplane.services import quotas
from controlplane.services.control import Ask
from controlplane.store.tenants import rules
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import change, create, destroy, done, shown, tenant, warnings
from tests.operations.terraform_double import RULE
from tests.operations.upgrading import upgrade

Run = Callable[[], None]


def held(house: House, slug: str = "acme") -> dict[str, int]:
    """What the catalog says, by environment of the platform."""
    with house.db.read() as session:
        return {str(e): number for e, number in rules.of_tenant(session, tenant(house, slug)["uid"]).items()}


def made(house: House, slug: str = "acme") -> dict[str, int]:
    """What Terraform made."""
    resources = house.terraform.resources(f"tenant-{tenant(house, slug)['uid']}")
    found = {address: one["values"] for address, one in resources.items() if one["type"] == RULE}
    return {address.split('"')[1]: values["priority"] for address, values in found.items()}


def grant(house: House, limit: int) -> None:
    known = house.control.catalog.quotas
    few = replace(known["listener_rules"], limit=limit)
    catalog = replace(house.control.catalog, quotas={**known, "listener_rules": few})
    house.control = replace(house.control, catalog=catalog)


def test_places_of_two_tenants_differ_and_the_lowest_free_one_is_taken_again(house: House, run: Run) -> None:
    create(house)
    create(house, "other")
    assert (held(house), held(house, "other")) == ({"development": 1}, {"development": 2})
    run()
    assert (made(house), made(house, "other")) == ({"development": 1}, {"development": 2})
    destroy(house)
    assert held(house) == {"development": 1}, "nobody takes its place while its rule stands"
    run()
    assert (held(house), made(house)) == ({}, {})
    create(house, "third")
    assert held(house, "third") == {"development": 1}


def test_a_tenant_that_moves_has_a_way_in_on_both_platforms_until_it_is_finalised(
    poc: House, run: Run
) -> None:
    refused = upgrade(poc, ask=Ask(reason="a test"))
    assert held(poc) == {"development": 1, "production": 1}
    run()
    asking.reject(poc.control, ADMIN, refused, ASK)
    assert held(poc) == {"development": 1}
    run()  # the migration is taken back
    upgrade(poc)
    run()
    assert held(poc) == made(poc) == {"development": 1, "production": 1}
    operation = change(poc, Kind.FINALIZE, Finalize(override=True))
    run()
    done(poc, operation)
    assert held(poc) == made(poc) == {"production": 1}


def test_a_drill_s_copy_is_reached_by_nobody(poc: House, run: Run) -> None:
    copy = shown(poc, change(poc, Kind.DRILL, Drill()))["tenant"]
    assert (held(poc), held(poc, copy)) == ({"development": 1}, {})


def test_a_tenant_that_its_load_balancer_has_no_room_for_is_refused_before_anything_is_planned(
    house: House,
) -> None:
    grant(house, 4)
    create(house)
    create(house, "second")
    third = create(house, "third")
    assert any("2 of 4 listener rules" in text for text in warnings(house, third))
    with pytest.raises(Refused, match="3 of 4 listener rules") as caught:
        create(house, "fourth")
    assert "another cell" in caught.value.hint
    create(house, "elsewhere", stage="production")
    found = {item["name"]: item["used"] for item in quotas.show(house.control, ADMIN)["items"]}
    assert found["listener_rules"] == 3, "of the fullest one"


def test_a_create_that_was_called_off_and_asked_for_again_keeps_one_place(house: House) -> None:
    for _ in range(2):
        asking.cancel(house.control, ADMIN, create(house), ASK)
        assert held(house) == {"development": 1}
