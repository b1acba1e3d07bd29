"""rotate: the application's two logins take turns, and whoever reads its secret can always log in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controlplane.domain.operation import Kind
from controlplane.operations import Rotate
from controlplane.ports import Login
from controlplane.store import slots
from tests.operations.house import House
from tests.operations.ordinary import application, change, create, done, shown, tenant

Run = Callable[[], None]


@pytest.fixture
def acme(house: House, run: Run) -> Login:
    """The application's login to a tenant that is ready."""
    create(house)
    run()
    return application(house)


def rotate(house: House, run: Run, what: str = "application") -> str:
    operation = change(house, Kind.ROTATE, Rotate.model_validate({"what": what}))
    run()
    return operation


def opens(house: House, login: Login) -> bool:
    return house.database.probe(login).reachable


def test_the_application_gets_the_other_login_and_the_old_password_is_refused(
    house: House, run: Run, acme: Login
) -> None:
    done(house, rotate(house, run))
    now = application(house)
    assert (acme.username, now.username) == ("app_a", "app_b")
    assert opens(house, now)
    assert not opens(house, acme)


def test_the_logins_take_turns(house: House, run: Run, acme: Login) -> None:
    seen = [acme]
    for _ in range(3):
        done(house, rotate(house, run))
        seen.append(application(house))
    assert [one.username for one in seen] == ["app_a", "app_b", "app_a", "app_b"]
    assert len({one.password for one in seen}) == 4
    assert [opens(house, one) for one in seen] == [False, False, False, True]


def test_whoever_reads_the_secret_can_log_in_at_every_moment(house: House, run: Run, acme: Login) -> None:
    """Looked at after each call that changes something."""
    outages = []

    def look(name: str) -> None:
        if not opens(house, application(house)):
            outages.append(name)

    for method in ("write_secret", "set_password"):
        _after(house, method, look)
    done(house, rotate(house, run))
    assert outages == []
    assert application(house) != acme


def _after(house: House, method: str, look: Callable[[str], None]) -> None:
    port = house.cloud if hasattr(house.cloud, method) else house.database
    inner = getattr(port, method)

    def call(*args: object) -> object:
        answer = inner(*args)
        look(method)
        return answer

    setattr(port, method, call)


def test_an_unreachable_database_changes_no_password(house: House, run: Run, acme: Login) -> None:
    house.database.change_server(acme, up=False)
    operation = rotate(house, run)
    assert shown(house, operation)["status"] == "failed"
    house.database.change_server(acme, up=True)
    assert application(house) == acme
    assert opens(house, acme)


def test_the_control_planes_own_login_is_renewed(house: House, run: Run, acme: Login) -> None:
    name = next(n for n in _secrets(house) if n.endswith("/cp_control"))
    before = house.cloud.read_secret(name)
    done(house, rotate(house, run, "control"))
    after = house.cloud.read_secret(name)
    as_control = Login(acme.host, acme.port, acme.database, "cp_control", before, acme.tls)
    assert before != after
    assert not opens(house, as_control)
    assert opens(house, acme)


def test_the_master_password_goes_through_terraform(house: House, run: Run, acme: Login) -> None:
    name = next(n for n in _secrets(house) if n.endswith("/master"))
    before = house.cloud.read_secret(name)
    operation = rotate(house, run, "master")
    seen = done(house, operation)
    as_master = Login(acme.host, acme.port, acme.database, "cpmaster", before, acme.tls)
    assert house.cloud.read_secret(name) != before
    assert not opens(house, as_master)
    assert seen["plan"]["counts"]["update"] == 1
    assert opens(house, application(house))
    with house.db.read() as session:
        slot = slots.every(session, tenant(house)["uid"])[0]
    assert (slot.credential_version, slot.credential_write) == (2, False)


def test_a_master_rotated_twice_has_one_version_more_each_time(house: House, run: Run, acme: Login) -> None:
    for _ in range(2):
        done(house, rotate(house, run, "master"))
    with house.db.read() as session:
        assert slots.every(session, tenant(house)["uid"])[0].credential_version == 3


def test_a_master_whose_apply_fails_is_whole_after_the_next_try(house: House, run: Run, acme: Login) -> None:
    house.terraform.fail_next_apply("Throttling: Rate exceeded")
    done(house, rotate(house, run, "master"))
    done(house, rotate(house, run, "control"))  # which logs in as the master


def _secrets(house: House) -> list[str]:
    with house.cloud.world.open() as state:
        return list(state["secrets"])
