"""Tenants that share a database: each is a schema, and lives and leaves by operations like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from controlplane.domain.errors import Conflict, Invalid
from controlplane.domain.operation import Kind
from controlplane.operations import (
    Create,
    Destroy,
    PlatformDestruction,
    Request,
    Resize,
    Restore,
    Rotate,
    Suspend,
)
from controlplane.ports import Login
from controlplane.services import audit, blueprints, platforms, tenants
from controlplane.services import operations as asking
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import application, change, create, done, shown, tenant, warnings
from tests.operations.sharing import BUCKET, IDENTIFIER, SHARED, add_shared_platform, schemas, space

Run = Callable[[], None]


@pytest.fixture
def master(house: House) -> Login:
    return add_shared_platform(house)


@pytest.fixture
def acme(house: House, run: Run, master: Login) -> Login:
    """The application's login to a tenant that is ready."""
    make(house)
    run()
    return application(house)


def make(house: House, slug: str = "acme", ask: Ask = ASK, **fields: object) -> str:
    return create(house, slug, ask, blueprint=SHARED, **fields)


def leave(house: House, slug: str = "acme", **fields: object) -> str:
    return change(house, Kind.DESTROY, Destroy(confirm=slug, **fields), slug)


def test_a_tenant_comes_to_be_without_terraform(house: House, run: Run, master: Login) -> None:
    operation = make(house)
    run()
    seen, found = done(house, operation), tenant(house)
    assert (found["phase"], found["unverified"]) == ("ready", False)
    assert found["endpoint"] == master.host
    assert schemas(house).names(master.host) == [space(house).schema]
    assert house.terraform.applied() == []
    assert seen["plan"]["counts"]["create"] == 1
    assert seen["plan"]["changes"][0]["address"] == f"{IDENTIFIER}/{space(house).schema}"
    assert house.database.probe(application(house)).reachable


def test_its_secret_says_where_and_as_whom(house: House, acme: Login) -> None:
    with house.cloud.world.open() as state:
        [name] = [n for n in state["secrets"] if "/acme-" in n]
        tags = state["secrets"][name]["tags"]
    said = json.loads(house.cloud.read_secret(name))
    assert said["schema"] == space(house).schema
    assert (said["host"], said["port"], said["database"]) == (acme.host, acme.port, acme.database)
    assert said["username"] == acme.username == space(house).logins[0]
    assert tags["tenant"] == "acme"


def test_no_password_stands_in_story_plan_or_audit(house: House, run: Run, acme: Login) -> None:
    operation = change(house, Kind.ROTATE, Rotate())
    run()
    told = [shown(house, operation), *asking.events(house.control, ADMIN, operation)]
    told += audit.page(house.control, ADMIN, audit.Search())["items"]
    text = json.dumps(told, default=str)
    said = json.loads(house.cloud.read_secret(f"controlplane/acme-{space(house).uid}/application"))
    assert [p for p in (acme.password, *said["logins"].values()) if p in text] == []


def test_it_costs_its_secret_and_says_so(house: House, run: Run, master: Login) -> None:
    operation = make(house)
    run()
    seen = done(house, operation)
    assert (Decimal(seen["cost_before"]), Decimal(seen["cost_after"])) == (0, Decimal("0.40"))
    assert Decimal(tenant(house)["monthly_usd"]) == Decimal("0.40")


def test_tenants_are_made_side_by_side(house: House, run: Run, master: Login) -> None:
    """`tenant-1` is no beginning of what `tenant-10` is called."""
    made = [make(house, slug) for slug in ("tenant-1", "tenant-10")]
    run()
    assert [shown(house, one)["status"] for one in made] == ["succeeded"] * 2
    one, ten = (space(house, slug) for slug in ("tenant-1", "tenant-10"))
    assert not {*one.roles, one.schema} & {*ten.roles, ten.schema}
    leave(house, "tenant-1")
    run()
    assert schemas(house).names(master.host) == [ten.schema]
    assert house.database.probe(application(house, "tenant-10")).reachable


def test_a_size_of_its_own_is_refused(house: House, master: Login) -> None:
    with pytest.raises(Invalid, match="share one database: its class and storage are the platform's"):
        make(house, size="small")
    with pytest.raises(Invalid, match="storage_gb"):
        make(house, storage_gb=100)


def test_without_its_platform_it_is_refused(house: House) -> None:
    with pytest.raises(Conflict, match="the platform serverless_shared_db is not there") as found:
        make(house)
    assert "blueprint apply serverless_shared_db" in found.value.hint


def test_a_database_that_is_not_reached_leaves_nothing_behind(house: House, run: Run, master: Login) -> None:
    house.database.change_server(master, up=False)
    operation = make(house)
    run()
    assert shown(house, operation)["status"] == "failed"
    house.database.change_server(master, up=True)
    again = make(house)  # it never began, so it may be asked for again
    run()
    assert shown(house, again)["status"] == "succeeded"


# --- its logins ---------------------------------------------------------------------------------------


def test_its_logins_take_turns(house: House, run: Run, acme: Login) -> None:
    seen = [acme]
    for _ in range(3):
        done_well(house, run, change(house, Kind.ROTATE, Rotate()))
        seen.append(application(house))
    one, other = space(house).logins
    assert [login.username for login in seen] == [one, other, one, other]
    assert [house.database.probe(login).reachable for login in seen] == [False, False, False, True]


def done_well(house: House, run: Run, operation: str) -> None:
    run()
    done(house, operation)


@pytest.mark.parametrize("what", ["control", "master"])
def test_the_platforms_logins_are_not_a_tenants_to_rotate(house: House, acme: Login, what: str) -> None:
    with pytest.raises(Invalid, match="application only"):
        change(house, Kind.ROTATE, Rotate.model_validate({"what": what}))


# --- leaving ------------------------------------------------------------------------------------------


def test_it_leaves_when_its_rows_are_kept(house: House, run: Run, master: Login, acme: Login) -> None:
    mine = space(house)
    schemas(house).write(acme, mine, "orders", "one", "two")
    house.database.open_session(acme)
    operation = leave(house)
    run()
    kept = done(house, operation)["response"]["final_export"]
    assert (kept["bucket"], kept["rows"], kept["tables"]) == (BUCKET, 2, {"orders": 2})
    assert house.cloud.object_digest(BUCKET, kept["key"]) == kept["sha256"]
    assert kept["key"] == f"backups/tenants/acme-{mine.uid}/{operation}.dump"
    assert tenant(house)["phase"] == "torn_down"
    assert schemas(house).names(master.host) == []
    assert not house.database.probe(acme).reachable
    assert not house.cloud.secret_exists(f"controlplane/acme-{mine.uid}/application")
    assert [d.identifier for d in house.cloud.databases()] == [IDENTIFIER]


def test_what_was_not_kept_whole_is_not_dropped(house: House, run: Run, master: Login, acme: Login) -> None:
    house.cloud.spoil_next_object()
    operation = leave(house)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "needs_operator"
    assert "is not what was written there" in seen["metadata"]["waiting_for"]
    assert schemas(house).names(master.host) == [space(house).schema]
    asking.settle(house.control, ADMIN, operation, ASK)
    run()
    done(house, operation)
    assert schemas(house).names(master.host) == []


def test_without_a_bucket_nothing_is_closed(house: House, run: Run) -> None:
    add_shared_platform(house, export_bucket="")
    make(house)
    run()
    operation = leave(house)
    run()
    seen = shown(house, operation)
    assert (seen["status"], tenant(house)["phase"]) == ("rejected", "ready")
    assert "has no bucket for what leaves it" in seen["error"]["detail"]
    assert house.database.probe(application(house)).reachable
    without = leave(house, archive=False)
    run()
    assert done(house, without)["response"]["final_export"] == {"skipped": "local:ann wanted none"}
    assert any("is not exported" in line for line in warnings(house, without))


def test_what_an_export_would_not_hold_stops_it(house: House, run: Run, master: Login, acme: Login) -> None:
    schemas(house).hold_back(master, space(house), "2 large objects")
    operation = leave(house)
    run()
    assert "acme has 2 large objects, which the export" in shown(house, operation)["error"]["detail"]
    assert house.database.probe(acme).reachable


def test_its_destruction_waits_for_an_approval(house: House, run: Run, acme: Login) -> None:
    body = Destroy(confirm="acme")
    operation = change(house, Kind.DESTROY, body, ask=Ask(reason="a test"))
    run()
    seen = shown(house, operation)
    assert seen["status"] == "awaiting_approval"
    assert seen["plan"]["counts"]["delete"] == 1
    assert house.database.probe(acme).reachable


def test_a_slug_comes_back_with_other_passwords(house: House, run: Run, acme: Login) -> None:
    for _ in range(2):
        leave(house)
        run()
        make(house)
        run()
        assert tenant(house)["phase"] == "ready"
    now = application(house)
    assert now.password != acme.password
    assert (tenant(house)["epoch"], house.database.probe(now).reachable) == (3, True)


def test_a_platform_with_tenants_stays(house: House, acme: Login) -> None:
    body = PlatformDestruction(confirm=SHARED)
    with pytest.raises(Conflict, match="1 tenants live on"):
        platforms.destroy(house.control, ADMIN, SHARED, body, ASK)


# --- verbs --------------------------------------------------------------------------------------------

OTHERS: list[tuple[Kind, Request]] = [
    (Kind.RESIZE, Resize.model_validate({"storage_gb": 100})),
    (Kind.SUSPEND, Suspend()),
]


@pytest.mark.parametrize(("kind", "body"), OTHERS)
def test_a_verb_that_is_not_declared_is_refused_by_name(
    house: House, acme: Login, kind: Kind, body: Request
) -> None:
    with pytest.raises(Conflict) as found:
        change(house, kind, body)
    assert found.value.message == (
        f"acme is of {SHARED}, whose tenants have no {kind}; they have: create, destroy, rotate"
    )
    assert found.value.hint == f"controlplane blueprint show {SHARED}"
    assert blueprints.show(house.control, ADMIN, SHARED)["verbs"] == ["create", "destroy", "rotate"]


def test_restoring_it_is_refused_after_it_left(house: House, run: Run, acme: Login) -> None:
    leave(house)
    run()
    with pytest.raises(Conflict, match="whose tenants have no restore"):
        change(house, Kind.RESTORE, Restore())


def test_a_dry_run_says_what_would_come(house: House, master: Login) -> None:
    body = tenants.create(house.control, ADMIN, Create(slug="acme", blueprint=SHARED), ASK)
    assert body["kind"] == "create"
