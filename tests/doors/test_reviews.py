"""Reviews through both doors: the same answers, the same codes, and nothing for who may not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.adapters.git import Repository
from tests.contract.person import Person
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises


@pytest.fixture
def reviewed(
    premises: Premises, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    """The command line of a fleet whose changes go through reviews; the server of the same one."""
    folder = premises.folder / "data"
    for name, value in {
        "DATABASE_URL": premises.url,
        "DATA_DIR": str(folder),
        "CHANGES_THROUGH": "review",
        "POLL_SECONDS": "0.05",
    }.items():
        monkeypatch.setenv(f"CONTROLPLANE_{name}", value)
    monkeypatch.delenv("CONTROLPLANE_SERVER", raising=False)
    forge = Repository(folder / "reviews.git")
    forge.base()
    premises.control = replace(premises.control, changes_through="review", forge=lambda: forge)
    return Terminal(capsys)


@pytest.fixture
def through_server(premises: Premises, reviewed: Terminal) -> Terminal:
    return Terminal(reviewed.capture, ("--server", premises.serve().url, "--token", premises.token()))


@pytest.fixture
def person(premises: Premises, reviewed: Terminal, tmp_path: Path) -> Person:
    return Person(premises.folder / "data" / "reviews.git", tmp_path / "home" / "clone")


def push(person: Person, branch: str, slug: str, text: str) -> None:
    person.branch(branch)
    person.write(f"tenants/{slug}/tenant.yaml", text)
    person.push(branch)


def test_a_branch_is_opened_through_both_doors(
    reviewed: Terminal, through_server: Terminal, person: Person
) -> None:
    for slug, way in (("here", reviewed), ("there", through_server)):
        push(person, f"new-{slug}", slug, f"slug: {slug}\nusers: 12\n")
        opened = way("review", "open", f"new-{slug}", "--no-wait", "-o", "json").json()
        assert (opened["status"], opened["kind"], opened["tenant"]) == ("opening", "create", slug)
        operation = way("operation", "show", opened["operation"], "-o", "json").json()
        assert (operation["review"], operation["reason"]) == (opened["id"], "")
        assert way("tenant", "show", slug, "-o", "json").json()["users"] == 12
        early = way("review", "merge", opened["id"], "--no-wait")
        assert (early.code, "it is opening" in early.err) == (4, True)
        assert way("review", "approve", opened["id"]).code == 4


def test_lists_and_pictures_are_the_same(
    reviewed: Terminal, through_server: Terminal, premises: Premises
) -> None:
    review = premises.control and premises.tenant("acme")
    shown = reviewed("operation", "show", review, "-o", "json").json()["review"]
    for words in (
        ("review", "list"),
        ("review", "list", "-o", "json", "--status", "opening"),
        ("review", "list", "--status", "closed", "-o", "json"),
        ("review", "show", shown),
        ("review", "show", shown, "-o", "json"),
        ("review", "show", "rv-none"),
        ("review", "open", "main"),
        ("review", "open", "nothing-there"),
        ("review", "sync", "-o", "json", "--dry-run"),
    ):
        local, remote = reviewed(*words), through_server(*words)
        assert (local.code, local.out) == (remote.code, remote.out), words
    assert "acme" in reviewed("review", "show", shown).out


def test_a_bad_file_is_told_with_its_line(
    reviewed: Terminal, through_server: Terminal, person: Person
) -> None:
    push(person, "bad", "acme", "slug: acme\r\nsize: &a huge\r\n")
    for way in (reviewed, through_server):
        said = way("review", "open", "bad")
        assert said.code == 64
        assert "tenants/acme/tenant.yaml:2: anchors" in said.err
    assert json.loads(reviewed("review", "list", "-o", "json").out)["items"] == []


def test_a_rehearsal_opens_nothing(reviewed: Terminal, through_server: Terminal, person: Person) -> None:
    push(person, "new", "acme", "slug: acme\n")
    for way in (reviewed, through_server):
        assert way("review", "open", "new", "--dry-run", "-o", "json").json()["kind"] == "create"
        assert way("tenant", "show", "acme").code == 5


def test_who_sees_some_tenants_sees_their_reviews(
    reviewed: Terminal, premises: Premises, person: Person
) -> None:
    for slug in ("own-1", "other-1"):
        premises.tenant(slug)
    push(person, "own", "own-2", "slug: own-2\n")
    push(person, "other", "other-2", "slug: other-2\n")
    http = premises.serve().client(premises.token("operator", "own-*"))
    assert [r["subject"] for r in http.get("/v1/reviews").json()["items"]] == ["own-1"]
    others = [
        r["id"] for r in premises.client().get("/v1/reviews").json()["items"] if r["subject"] != "own-1"
    ]
    for review in others:
        assert http.get(f"/v1/reviews/{review}").status_code == 404
        assert http.post(f"/v1/reviews/{review}/merge").status_code == 404
    synced = http.post("/v1/reviews/sync").json()["items"]
    assert [item["branch"] for item in synced] == ["own"]
    assert synced[0]["problem"] is None or "own-2" in str(synced[0]["problem"])


def test_where_changes_are_direct_no_branch_is_read(premises: Premises) -> None:
    http = premises.client()
    assert http.get("/v1/reviews").json()["items"] == []
    for path, body in (("/v1/reviews", {"branch": "x"}), ("/v1/reviews/sync", None)):
        answer = http.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "refused")
        assert "CHANGES_THROUGH" in answer.json()["hint"]
