"""Tenants that are schemas of a shared database, through both doors: their verbs, and looks at a fleet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.services.records.finder import orphans
from controlplane.services.records.rebuild import rebuild
from controlplane.store import platforms
from tests.doors.care.neighbourhood import ADMIN, Neighbourhood
from tests.doors.care.test_drift import listed, only, scan
from tests.doors.care.test_records import stating
from tests.doors.cli.terminal import Terminal

SHARED, DATABASE = "serverless_shared_db", "shared-e1"
WORKSPACE = f"platform-{SHARED}-development-default"
TAGS = {"managed-by": "controlplane", "blueprint": SHARED, "epoch": "1"}
WHY_NOT = f"is of {SHARED}, whose tenants have no {{}}; they have: create, destroy, rotate"


@pytest.fixture
def shared(here: Neighbourhood) -> Neighbourhood:
    """With the platform as its apply leaves it, and two tenants on it."""
    where = {"blueprint": SHARED, "environment": "development", "cell": "default", "region": "us-east-1"}
    with here.control.db.write() as session:
        platforms.ensure(session, WORKSPACE, **where, options={}, now=here.clock.now)
        outputs = {"database_identifier": DATABASE, "export_bucket": "exports"}
        platforms.record_outputs(session, WORKSPACE, outputs, "ready", here.clock.now)
    here.cloud.add_database(DATABASE, TAGS)
    for slug in ("one", "two"):
        here.premises.finish(here.premises.tenant(slug, blueprint=SHARED))
    return here


@pytest.fixture
def http(shared: Neighbourhood) -> httpx.Client:
    return shared.premises.client()


@pytest.fixture
def terminal(shared: Neighbourhood, http: httpx.Client, capsys: pytest.CaptureFixture[str]) -> Terminal:
    token = shared.premises.token(name="terminal")
    return Terminal(capsys, ("--server", str(http.base_url), "--token", token))


def test_it_is_created_and_shown_without_a_database_of_its_own(
    http: httpx.Client, terminal: Terminal
) -> None:
    made = http.post("/v1/tenants", json={"slug": "three", "blueprint": SHARED})
    assert (made.status_code, made.json()["kind"]) == (202, "create")
    said = terminal("tenant", "create", "four", "--blueprint", SHARED, "--no-wait", "-o", "json")
    assert (said.code, said.json()["kind"]) == (0, "create")
    for slug in ("three", "four"):
        assert http.get(f"/v1/tenants/{slug}").json()["slots"] == []


def test_what_only_a_database_of_its_own_has_is_refused(http: httpx.Client, terminal: Terminal) -> None:
    answer = http.post("/v1/tenants", json={"slug": "three", "blueprint": SHARED, "size": "small"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    said = terminal("tenant", "create", "three", "--blueprint", SHARED, "--storage-gb", "100", "--no-wait")
    assert said.code == 64
    assert "its class and storage are the platform's" in answer.text + said.err
    assert http.get("/v1/tenants/three").status_code == 404


def test_it_leaves_when_its_name_is_repeated(http: httpx.Client, terminal: Terminal) -> None:
    wrong = http.post("/v1/tenants/one/destroy", json={"confirm": "two"})
    assert wrong.status_code == 422
    asked = http.post("/v1/tenants/one/destroy", json={"confirm": "one"})
    assert (asked.status_code, asked.json()["kind"]) == (202, "destroy")
    said = terminal("tenant", "destroy", "two", "--confirm", "two", "--no-wait", "-o", "json")
    assert (said.code, said.json()["kind"]) == (0, "destroy")


@pytest.mark.parametrize(
    ("verb", "body"),
    [("suspend", {}), ("resize", {"storage_gb": 100}), ("upgrade", {}), ("drill", {})],
)
def test_another_verb_is_refused_by_name(
    http: httpx.Client, terminal: Terminal, verb: str, body: dict[str, Any]
) -> None:
    answer = http.post(f"/v1/tenants/one/{verb}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert WHY_NOT.format(verb) in answer.json()["detail"]
    options = [word for key, value in body.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    said = terminal("tenant", verb, "one", *options, "--no-wait")
    assert (said.code, WHY_NOT.format(verb) in said.err) == (4, True)


def test_a_scan_names_each_of_them_and_takes_their_database_for_nobodys_orphan(shared: Neighbourhood) -> None:
    found = scan(shared)
    assert [one["tenant"] for one in found["skipped"]] == ["one", "two"]
    assert all(f"is a schema of {SHARED}" in one["why"] for one in found["skipped"])
    assert (found["looked_at"], found["databases_in_aws"], found["items"]) == (0, 1, [])
    assert [one["tenant"] for one in scan(shared, selector="slug=two")["skipped"]] == ["two"]


def test_a_shared_database_that_is_gone_is_a_finding_until_it_is_back(shared: Neighbourhood) -> None:
    shared.cloud.remove_database(DATABASE)
    scan(shared)
    found = only(shared)
    assert (found["identifier"], found["severity"], found["situation"]) == (DATABASE, "dangerous", "vanished")
    assert "2 tenants have their schemas in it" in found["words"]
    assert "do not apply the platform" in found["next_step"]
    shared.cloud.add_database(DATABASE, TAGS)
    assert scan(shared)["inbox"] == {"ended": 1}
    assert listed(shared) == []


def test_the_finder_knows_whose_it_is_and_says_that_it_does_not_look_inside(
    shared: Neighbourhood, terminal: Terminal, http: httpx.Client, tmp_path: Path
) -> None:
    stating(shared, tmp_path, DATABASE)
    assert orphans(shared.control, ADMIN)["items"] == []
    told = shared.premises.client().get("/v1/catalog/orphans").json()["not_looked_into"]
    why = "the schemas of its 2 tenants are not compared with the catalog"
    assert told == [{"identifier": DATABASE, "platform": WORKSPACE, "why": why}]
    shared.cloud.remove_database(DATABASE)
    [item] = orphans(shared.control, ADMIN)["items"]
    assert (item["situation"], item["tenant"]) == ("vanished", None)


def test_a_rebuild_says_whose_tenants_it_cannot_bring_back(shared: Neighbourhood, tmp_path: Path) -> None:
    found = rebuild(shared.control, ADMIN, tmp_path, "a test", dry_run=True)
    [closed] = found["not_looked_into"]
    assert (closed["identifier"], closed["platform"]) == (DATABASE, SHARED)
    assert "a backup of the catalog brings them back" in closed["why"]
    assert found["items"] == []
