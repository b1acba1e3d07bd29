"""What tests of an upgrade ask, in few words; the tenant is `acme`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from controlplane.domain.migration.checklist import EVERY_UPGRADE, Item
from controlplane.domain.operation import Kind
from controlplane.operations import Upgrade
from controlplane.ports import Login
from controlplane.services import migrations
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, tenant

ACKNOWLEDGED = [item for item in EVERY_UPGRADE if item is not Item.ALARMS]
TABLE = "public.orders"


def upgrade(house: House, ask: Any = ASK, **fields: Any) -> str:
    body = Upgrade(**{"acknowledge": ACKNOWLEDGED, **fields})
    return change(house, Kind.UPGRADE, body, ask=ask)


def slots(house: House) -> dict[int, str]:
    return {slot["epoch"]: slot["status"] for slot in tenant(house)["slots"]}


def rows(house: House) -> list[str]:
    """As the application sees them now."""
    with house.database.using("rows", application(house)) as server:
        return list(server["tables"][TABLE])


def login_at(house: House, epoch: int, role: str = "app_a") -> Login:
    uid = tenant(house)["uid"]
    at = house.cloud.database(f"acme-{uid}-e{epoch}")
    assert at is not None
    password = house.cloud.read_secret(f"controlplane/acme-{uid}/e{epoch}/{role}")
    username = at.master_username if role == "master" else role
    return Login(str(at.endpoint), int(at.port or 0), "app", username, password)


def fenced(house: House, epoch: int) -> bool:
    return not house.database.probe(login_at(house, epoch)).reachable


def later(house: House, **passed: int) -> House:
    """The same house some time later."""
    then = house.control.now() + timedelta(**passed)
    house.control = replace(house.control, now=lambda: then)
    return house


def picture(house: House) -> dict[str, Any]:
    return migrations.show(house.control, ADMIN, "acme")
