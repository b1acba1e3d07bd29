"""Bringing data back and taking databases over, through both doors."""

from __future__ import annotations

import httpx
import pytest

from tests.doors.api.test_problems import assert_problem
from tests.doors.care.neighbourhood import Neighbourhood
from tests.doors.cli.terminal import Terminal


@pytest.fixture
def api(here: Neighbourhood) -> httpx.Client:
    return here.premises.client()


@pytest.fixture
def terminal(here: Neighbourhood, api: httpx.Client, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys, ("--server", str(api.base_url), "--token", here.premises.token(name="person")))


def living(here: Neighbourhood) -> None:
    """A tenant whose database AWS has seen."""
    here.tenant("acme")
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE slot SET resource_id = 'DB-ACME'")


def test_a_restore_beside_is_the_new_tenants_operation(here: Neighbourhood, api: httpx.Client) -> None:
    living(here)
    said = api.post("/v1/tenants/acme/restore", json={"as": "acme-look", "at": "2026-01-05T10:00:00+01:00"})
    assert (said.status_code, said.json()["kind"], said.json()["tenant"]) == (202, "restore", "acme-look")
    assert api.get("/v1/tenants/acme-look").json()["phase"] == "requested"
    assert_problem(api.post("/v1/tenants/acme/restore", json={}), 409, "conflict")
    assert_problem(
        api.post("/v1/tenants/acme/restore", json={"at": "yesterday", "as": "x-y-z"}), 422, "invalid"
    )


def test_a_restore_beside_at_the_terminal(here: Neighbourhood, terminal: Terminal) -> None:
    living(here)
    time = "2026-01-05T10:00:00Z"
    said = terminal("tenant", "restore", "acme", "--as", "twin", "--at", time, "--no-wait", "-o", "json")
    assert (said.code, said.json()["tenant"]) == (0, "twin")
    assert terminal("tenant", "restore", "acme", "--as", "acme", "--no-wait").code == 4
    assert terminal("tenant", "restore", "none", "--as", "other", "--no-wait").code == 5
    assert terminal("tenant", "restore", "acme", "--as", "Bad_Name", "--no-wait").code == 64


def test_what_nobody_manages_is_listed_with_a_proposal(here: Neighbourhood, api: httpx.Client) -> None:
    here.tenant("acme")
    here.cloud.add_database("acme", {"team": "orders"}, instance_class="db.t4g.small")
    (found,) = api.get("/v1/catalog/unmanaged").json()["items"]
    assert (found["identifier"], found["proposed_slug"], found["proposed_size"]) == (
        "acme",
        "acme-2",
        "small",
    )


def test_what_nobody_manages_at_the_terminal(here: Neighbourhood, terminal: Terminal) -> None:
    here.cloud.add_database("legacy", {"team": "orders"})
    said = terminal("tenant", "adopt", "--discover")
    assert said.code == 0
    assert "legacy" in said.out
    command = "controlplane tenant adopt legacy --identifier legacy --stage poc"
    listed = terminal("tenant", "adopt", "--discover", "-o", "json").json()["items"]
    assert [one["next_command"] for one in listed] == [command]
    taken = terminal(*command.split()[1:], "--no-wait", "-o", "json")
    assert (taken.code, taken.json()["kind"]) == (0, "adopt")
    assert terminal("tenant", "adopt", "legacy").code == 64
