"""adopt: a working database becomes a tenant's; nothing of it changes unseen, least of all its password."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controlplane.domain.errors import AlreadyExists, Refused
from controlplane.domain.operation import Kind
from controlplane.operations import Adopt, Reconcile, Resize, Rotate
from controlplane.ports import Login
from controlplane.services import operations as asking
from controlplane.services.adoption import discover
from controlplane.services.control import Ask
from tests.operations.house import ADMIN, ASK, OTHER, House
from tests.operations.ordinary import application, change, create, destroy, done, shown, tenant, warnings

Run = Callable[[], None]
WAIT = Ask(reason="a test")
LEGACY = "legacy-orders"


@pytest.fixture
def legacy(house: House) -> Login:
    """A stranger's database with rows; its master's login."""
    made = house.cloud.add_database(
        LEGACY,
        {"team": "orders"},
        instance_class="db.t4g.small",
        storage_gb=50,
        master_username="postgres",
        database_name="orders",
        kms_key_id="arn:aws:kms:us-east-1:123456789012:key/theirs",
        log_exports=["postgresql"],
    )
    master = Login(str(made.endpoint), 5432, "orders", "postgres", "their-password", "verify-full")
    house.database.add_server(master)
    house.database.write(master, "orders", "one", "two", "three")
    return master


def adopt(house: House, slug: str = "acme", ask: Ask = ASK, **more: object) -> str:
    body = Adopt.model_validate({"identifier": LEGACY, **more})
    return change(house, Kind.ADOPT, body, slug, ask)


def test_it_becomes_a_tenant_as_it_is(house: House, run: Run, legacy: Login) -> None:
    operation = adopt(house)
    run()
    seen = done(house, operation)
    acme = tenant(house)
    assert (acme["phase"], acme["unverified"], acme["size"], acme["storage_gb"]) == (
        "ready",
        True,
        "small",
        50,
    )
    assert acme["endpoint"] == legacy.host
    assert (acme["cost_tier"], float(acme["monthly_usd"]) > 0) == ("poc-small", True)
    assert seen["plan"]["counts"]["import"] == 1
    database = house.cloud.database(LEGACY)
    assert (database.instance_class, database.tags["uid"]) == ("db.t4g.small", acme["uid"])
    assert len(house.cloud.databases()) == 1


def test_its_password_stays_its_own(house: House, run: Run, legacy: Login) -> None:
    operation = adopt(house)
    run()
    done(house, operation)
    assert house.database.probe(legacy).reachable
    assert not [name for name in _secrets(house) if "/master" in name or "/app_" in name]
    assert "sets the master password" not in str(shown(house, operation)["plan"]["forecast"])


def test_what_it_changes_waits_for_a_person(house: House, run: Run, legacy: Login) -> None:
    operation = adopt(house, ask=WAIT)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "awaiting_approval"
    assert "taking it over changes" in seen["metadata"]["waiting_for"]
    assert house.cloud.database(LEGACY).tags == {"team": "orders"}
    asking.approve(house.control, OTHER, operation, ASK, seen["plan"]["meaning"][:12])
    run()
    done(house, operation)


def test_the_log_groups_that_it_has_come_with_it(house: House, run: Run, legacy: Login) -> None:
    operation = adopt(house, ask=WAIT)
    run()
    with house.db.read() as session:
        imports = asking.operations.get(session, operation).imports
    assert [id_ for _, id_ in imports] == [LEGACY, f"/aws/rds/instance/{LEGACY}/postgresql"]


@pytest.mark.parametrize(("has_it", "said"), [(True, 1), (False, 0), (None, 0)])
def test_who_keeps_extended_support_is_told_of_it(
    house: House, run: Run, legacy: Login, has_it: bool | None, said: int
) -> None:
    house.cloud.change_database(LEGACY, extended_support=has_it)
    operation = adopt(house)
    run()
    done(house, operation)
    assert len([text for text in warnings(house, operation) if "Extended Support" in text]) == said


def test_rotating_its_master_takes_it_over(house: House, run: Run, legacy: Login) -> None:
    adopted = adopt(house)
    run()
    done(house, adopted)
    with pytest.raises(Refused, match="no login"):
        change(house, Kind.ROTATE, Rotate())
    operation = change(house, Kind.ROTATE, Rotate.model_validate({"what": "master"}))
    run()
    seen = done(house, operation)
    assert seen["plan"]["counts"]["update"] == 1
    assert not house.database.probe(legacy).reachable
    assert not tenant(house)["unverified"]
    login = application(house)
    assert (login.username, login.database) == ("app_a", "orders")
    assert house.database.fingerprint(login)["tables"]["orders"]["count"] == 3


def test_an_adopted_tenant_lives_like_others(house: House, run: Run, legacy: Login) -> None:
    verbs = (
        lambda: adopt(house),
        lambda: change(house, Kind.RESIZE, Resize.model_validate({"size": "medium"})),
    )
    for verb in verbs:
        operation = verb()
        run()
        done(house, operation)
    again = change(house, Kind.RECONCILE, Reconcile())
    run()
    done(house, again, "no_changes")
    assert tenant(house)["unverified"]
    gone = destroy(house)
    run()
    done(house, gone)
    assert house.cloud.databases() == []
    assert tenant(house)["slots"][0]["final_snapshot"]["database"] == LEGACY


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"instance_class": "db.r5.xlarge"}, "no size of ours"),
        ({"engine": "mysql"}, "only PostgreSQL"),
        ({"tags": {"managed-by": "controlplane", "uid": "zzzzzzzz", "tenant": "beta"}}, "tenant beta"),
    ],
)
def test_what_cannot_be_taken_over_says_why(
    house: House, run: Run, legacy: Login, facts: dict, said: str
) -> None:
    house.cloud.change_database(LEGACY, **facts)
    operation = adopt(house)
    run()
    seen = shown(house, operation)
    assert (seen["status"], tenant(house)["phase"]) == ("rejected", "failed")
    assert said in seen["error"]["detail"]
    assert house.terraform.applied() == []


def test_another_size_is_a_change_that_is_approved(house: House, run: Run, legacy: Login) -> None:
    house.cloud.change_database(LEGACY, instance_class="db.r5.xlarge")
    operation = adopt(house, size="medium")
    run()
    done(house, operation)
    assert house.cloud.database(LEGACY).instance_class == "db.t4g.medium"


def test_an_unencrypted_database_is_refused_by_policy(house: House, run: Run, legacy: Login) -> None:
    house.cloud.change_database(LEGACY, encrypted=False)
    operation = adopt(house)
    run()
    seen = shown(house, operation)
    assert seen["status"] == "rejected"
    assert "database.encryption" in seen["error"]["detail"]


def test_what_was_refused_may_be_asked_again_otherwise(house: House, run: Run, legacy: Login) -> None:
    refused = adopt(house, identifier="no-such-thing")
    run()
    assert "no database no-such-thing" in shown(house, refused)["error"]["detail"]
    operation = adopt(house)
    run()
    done(house, operation)
    with pytest.raises(AlreadyExists):
        adopt(house)


def test_one_database_has_one_tenant(house: House, run: Run, legacy: Login) -> None:
    first = adopt(house)
    run()
    done(house, first)
    second = adopt(house, "beta")
    run()
    assert "belongs to the tenant acme" in shown(house, second)["error"]["detail"]


def test_discovery_lists_only_what_is_nobodys_and_proposes(house: House, run: Run, legacy: Login) -> None:
    create(house, "ours")
    house.cloud.add_database("Prod_Billing".lower().replace("_", "-"), multi_az=True, encrypted=False)
    house.cloud.add_database("a-mysql", engine="mysql")
    run()
    found = {one["identifier"]: one for one in discover(house.control, ADMIN)["items"]}
    assert sorted(found) == [LEGACY, "prod-billing"]
    orders, billing = found[LEGACY], found["prod-billing"]
    assert (orders["proposed_slug"], orders["proposed_size"], orders["proposed_stage"]) == (
        LEGACY,
        "small",
        "poc",
    )
    assert orders["next_command"].endswith(f"tenant adopt {LEGACY} --identifier {LEGACY} --stage poc")
    assert billing["proposed_stage"] == "production"
    assert "not encrypted" in billing["obstacles"][0]


def _secrets(house: House) -> list[str]:
    with house.cloud.world.open() as state:
        return list(state["secrets"])
