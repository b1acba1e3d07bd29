"""From a proof of concept to production and back, through door, worker and fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controlplane.domain.errors import Conflict, Missing, Refused
from controlplane.domain.migration.checklist import EVERY_UPGRADE, Item
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Finalize, Resize, Rollback, Upgrade
from controlplane.ports import Login
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, OTHER, House

Run = Callable[[], None]
WAIT = Ask(reason="a test")
ACKNOWLEDGED = [item for item in EVERY_UPGRADE if item is not Item.ALARMS]
TABLE = "public.orders"


def shown(house: House, operation_id: str) -> dict[str, Any]:
    return asking.show(house.control, ADMIN, operation_id)


def tenant(house: House) -> dict[str, Any]:
    return tenants.show(house.control, ADMIN, "acme")


def assert_done(house: House, operation_id: str) -> None:
    seen = shown(house, operation_id)
    assert seen["status"] == "succeeded", (seen["metadata"], seen.get("error"))


def change(house: House, kind: Kind, body: Any, ask: Ask = ASK) -> str:
    return str(tenants.change(house.control, ADMIN, kind, "acme", body, ask)["id"])


def upgrade(house: House, ask: Ask = ASK, **fields: Any) -> str:
    return change(house, Kind.UPGRADE, Upgrade(**{"acknowledge": ACKNOWLEDGED, **fields}), ask)


def application(house: House) -> Login:
    """As the application logs in: by what its secret says now."""
    import json

    slug, uid = "acme", tenant(house)["uid"]
    found = json.loads(house.cloud.read_secret(f"controlplane/{slug}-{uid}/application"))
    return Login(found["host"], found["port"], found["database"], found["username"], found["password"])


def slots(house: House) -> dict[int, str]:
    return {slot["epoch"]: slot["status"] for slot in tenant(house)["slots"]}


@pytest.fixture
def poc(house: House, run: Run) -> House:
    """A tenant with rows."""
    tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)
    run()
    house.database.write(application(house), TABLE, "one", "two")
    return house


def rows(house: House) -> list[str]:
    login = application(house)
    with house.database.using("rows", login) as server:
        return list(server["tables"][TABLE])


def test_a_poc_becomes_production_with_its_rows(poc: House, run: Run) -> None:
    left = application(poc)
    operation = upgrade(poc)
    run()
    assert_done(poc, operation)
    seen = tenant(poc)
    assert (seen["stage"], seen["environment"], seen["size"]) == ("production", "production", "small")
    assert (seen["phase"], seen["migration_state"], seen["epoch"]) == ("ready", "soaking", 2)
    assert seen["cost_tier"] == "production-small"
    assert rows(poc) == ["one", "two"]
    assert application(poc).host != left.host
    assert not poc.database.probe(left).reachable, "the old database is closed to its application"
