"""Kept states from the command line, on this machine and through a server: listed, read, put back."""

from __future__ import annotations

import json

import pytest

from tests.doors.cli.terminal import Terminal
from tests.doors.cli.test_completion import offered
from tests.doors.premises import BLUEPRINT, Premises

PLATFORM = f"platform-{BLUEPRINT}-production-default"
SECRET = "hunter2"


def state(serial: int, *names: str) -> bytes:
    resources = [
        {
            "mode": "managed",
            "type": "aws_db_instance",
            "name": name,
            "module": 'module.database["e1"]',
            "instances": [{"attributes": {"id": f"db-{name}", "password": SECRET}}],
        }
        for name in names
    ]
    whole = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "aaaa"}
    return json.dumps({**whole, "resources": resources}).encode()


@pytest.fixture
def terminal(premises: Premises, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """With the key of the catalog, and a tenant that had two states."""
    monkeypatch.setenv("CONTROLPLANE_KEYRING", f"file:{premises.folder / 'keys' / 'key.json'}")
    premises.tenant("acme")
    for serial, names in ((1, ("one",)), (2, ("one", "two"))):
        premises.states().put(workspace(premises), state(serial, *names), written_by="ann")
    return terminal


@pytest.fixture(params=["here", "through a server"])
def way(request: pytest.FixtureRequest, terminal: Terminal) -> Terminal:
    return terminal if request.param == "here" else request.getfixturevalue("through_server")


def workspace(premises: Premises) -> str:
    with premises.control.db.engine.connect() as connection:
        return f"tenant-{connection.exec_driver_sql('SELECT uid FROM tenant').scalar()}"


def test_states_are_listed_the_newest_first(way: Terminal, premises: Premises) -> None:
    listed = way("state", "list", "acme", "-o", "json").json()["items"]
    assert [(one["serial"], one["written_by"]) for one in listed] == [(2, "ann"), (1, "ann")]
    assert way("state", "list", workspace(premises), "-o", "name").out.split() == ["2", "1"]


def test_a_slug_that_reads_like_an_id_is_a_slug(way: Terminal, premises: Premises) -> None:
    premises.tenant("tenant-customer")
    assert way("state", "list", "tenant-customer", "-o", "json").json()["items"] == []


def test_people_see_names_and_programs_the_whole(way: Terminal) -> None:
    told = way("state", "show", "acme").out
    assert 'module.database["e1"].aws_db_instance.two' in told and "db-two" in told
    assert SECRET not in told
    assert "two" not in way("state", "show", "acme", "--serial", "1").out
    assert json.dumps(way("state", "show", "acme", "-o", "json").json()).encode() == state(2, "one", "two")


def test_an_older_state_is_put_back_under_a_new_serial(way: Terminal, premises: Premises) -> None:
    would = way("state", "restore", "acme", "1", "--dry-run", "-o", "json").json()
    assert (would["serial"], would["of"], would["dry_run"]) == (3, 1, True)
    assert way("state", "list", "acme", "-o", "name").out.split() == ["2", "1"]
    words = ("state", "restore", "acme", "1", "--reason", "the last apply was wrong", "-o", "name")
    assert way(*words).out.split() == ["3"]
    assert way(*words).out.split() == ["3"], "asked twice, done once"
    newest = way("state", "show", "acme", "-o", "json").json()
    assert [one["name"] for one in newest["resources"]] == ["one"]
    [entry] = way("audit", "list", "--action", "state.restored", "-o", "json").json()["items"]
    assert (entry["reason"], entry["after"]["of"]) == ("the last apply was wrong", 1)


def test_what_is_not_there_or_not_free_is_said(way: Terminal, premises: Premises) -> None:
    assert way("state", "restore", "acme", "9").code == 5
    assert way("state", "restore", "acme", "2").code == 4
    assert way("state", "show", "nobody").code == 5
    assert way("state", "list", "platform-none").code == 5
    none = way("state", "show", PLATFORM)
    assert (none.code, "no state yet" in none.err) == (5, True)
    premises.states().lock(workspace(premises), "run:r1", "run:r1", {"ID": "run:r1"})
    held = way("state", "restore", "acme", "1")
    assert (held.code, "run:r1" in held.err) == (4, True)


def test_serials_are_offered(terminal: Terminal, premises: Premises) -> None:
    assert offered(premises, "controlplane state show ac") == ["acme"]
    more = {"CONTROLPLANE_KEYRING": f"file:{premises.folder / 'keys' / 'key.json'}", "COMP_CWORD": "4"}
    assert offered(premises, "controlplane state restore acme ", **more) == ["2", "1"]
