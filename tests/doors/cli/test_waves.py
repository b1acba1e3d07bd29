"""Bulk changes through both ways of the command line, and over HTTP."""

from __future__ import annotations

import csv

import pytest

from controlplane.store import tenants
from tests.doors.api.test_problems import assert_problem
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import Premises


@pytest.fixture
def fleet(premises: Premises) -> Premises:
    for number in range(3):
        premises.finish(premises.tenant(f"t-{number}", labels={"ring": "a" if number < 2 else "b"}))
    return premises


@pytest.mark.parametrize("way", ["terminal", "through_server"])
def test_a_wave_takes_down_whom_it_is_about(
    fleet: Premises, request: pytest.FixtureRequest, way: str
) -> None:
    ask: Terminal = request.getfixturevalue(way)
    begun = ask(
        "tenant",
        "destroy",
        "-l",
        "ring=a",
        "--confirm",
        "ring=a",
        "--wave",
        "2",
        "--canary",
        "1",
        "-o",
        "json",
    )
    assert begun.code == 0, begun.err
    wave = begun.json()
    assert [(item["tenant"], item["status"]) for item in wave["items"]] == [
        ("t-0", "waiting"),
        ("t-1", "waiting"),
    ]
    assert (wave["size"], wave["canary"], wave["status"]) == (2, 1, "running")
    assert ask("wave", "pause", wave["id"], "-o", "json").json()["status"] == "paused"
    assert ask("wave", "pause", wave["id"]).code == 4
    assert ask("wave", "continue", wave["id"], "-o", "json").json()["status"] == "running"
    assert ask("wave", "abort", wave["id"], "-o", "json").json()["status"] == "aborted"
    assert ask("wave", "list", "-o", "name").out.split() == [wave["id"]]
    assert "t-1" in ask("wave", "show", wave["id"]).out
    report = list(csv.DictReader(ask("wave", "show", wave["id"], "-o", "csv").out.splitlines()))
    assert [(row["tenant"], row["position"]) for row in report] == [("t-0", "1"), ("t-1", "2")]
    assert ask("wave", "show", "wave-none").code == 5


@pytest.mark.parametrize(
    "words",
    [
        ("-l", "ring=a"),
        ("-l", "ring=a", "--confirm", "yes"),
        ("t-0", "-l", "ring=a", "--confirm", "ring=a"),
        ("-l", "ring=none", "--confirm", "ring=none"),
        ("-l", "(((", "--confirm", "((("),
        (),
        ("t-0",),
    ],
)
def test_many_are_destroyed_only_by_who_means_it(
    fleet: Premises, terminal: Terminal, words: tuple[str, ...]
) -> None:
    assert terminal("tenant", "destroy", *words).code == 64
    assert terminal("wave", "list", "-o", "json").json()["items"] == []


def test_a_wave_can_be_rehearsed(fleet: Premises, terminal: Terminal) -> None:
    said = terminal("tenant", "destroy", "-l", "ring=a", "--confirm", "ring=a", "--dry-run", "-o", "json")
    assert (said.code, said.json()["dry_run"]) == (0, True)
    assert terminal("wave", "list", "-o", "json").json()["items"] == []


def test_a_wave_that_cannot_be_is_refused(fleet: Premises) -> None:
    http = fleet.client()
    good = {"kind": "destroy", "selector": "ring=a", "size": 2}
    for change in ({"kind": "create"}, {"kind": "magic"}, {"selector": ""}, {"size": 0}, {"body": {"x": 1}}):
        assert_problem(http.post("/v1/waves", json={**good, **change}), 422, "invalid")
    assert http.post("/v1/waves", json=good).status_code == 201


def test_a_wave_reaches_only_whom_its_token_sees(fleet: Premises) -> None:
    http = fleet.serve().client(fleet.token("operator", "t-1"))
    made = http.post("/v1/waves", json={"kind": "destroy", "selector": "ring in (a,b)", "size": 2}).json()
    assert [item["tenant"] for item in made["items"]] == ["t-1"]


def _pin(premises: Premises, slug: str, version: str, digest: str) -> None:
    """As a worker of some release would leave it."""
    with premises.control.db.write() as session:
        uid, pin = (
            tenants.by_slug(session, slug).uid,
            {"template_version": version, "template_digest": digest},
        )
        tenants.change(session, uid, pin, actor="test", now=premises.control.now())


def test_who_is_behind_is_moved_in_a_wave_through_both_doors(
    premises: Premises, terminal: Terminal, through_server: Terminal
) -> None:
    for way, slug in ((terminal, "here"), (through_server, "there")):
        premises.finish(premises.tenant(slug))
        _pin(premises, slug, "0.9.0", "")
        (one,) = way("template", "outdated", "-o", "json").json()["items"]
        assert (one["tenant"], one["template_version"]) == (slug, "0.9.0")
        rehearsed = way("template", "rollout", "--dry-run", "-o", "json").json()
        assert rehearsed["items"][0]["rehearsal"]["kind"] == "rollout"
        made = way("template", "rollout", "-l", f"slug={slug}", "--no-wait", "-o", "json").json()
        assert (made["kind"], [item["tenant"] for item in made["items"]]) == ("rollout", [slug])
        assert made["to"] == one["newest_digest"]
        _pin(premises, slug, "1.0.0", made["to"])
        assert way("template", "rollout").code == 4
