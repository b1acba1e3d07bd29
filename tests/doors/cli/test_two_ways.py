"""The same command on the local catalog and through the server: the same output, the same exit code."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane import wiring
from controlplane.domain.operation import Kind
from controlplane.operations import offered
from controlplane.settings import load
from controlplane.terminal import verbs
from tests.doors.cli.terminal import Said, Terminal
from tests.doors.premises import Premises

READS = [
    ("tenant", "list"),
    ("tenant", "list", "-o", "json"),
    ("tenant", "list", "-o", "yaml"),
    ("tenant", "list", "-o", "name"),
    ("tenant", "list", "-l", "team=a", "-o", "json"),
    ("tenant", "list", "-l", "team in (a,b),size!=small", "--sort", "slug desc"),
    ("tenant", "list", "--page-size", "1", "-o", "json"),
    ("tenant", "list", "--stage", "production"),
    ("tenant", "list", "--sort", "color"),
    ("tenant", "show", "one"),
    ("tenant", "show", "one", "-o", "json"),
    ("tenant", "show", "one", "-o", "name"),
    ("tenant", "show", "nobody"),
    ("tenant", "show", "Not-A-Slug"),
    ("tenant", "explain", "one"),
    ("tenant", "explain", "one", "-o", "json"),
    ("tenant", "history", "one"),
    ("tenant", "history", "one", "-o", "json"),
    ("operation", "list"),
    ("operation", "list", "-o", "json", "--status", "pending"),
    ("operation", "list", "--tenant", "nobody"),
    ("operation", "show", "OP"),
    ("operation", "show", "OP", "-o", "json"),
    ("operation", "show", "nothing"),
    ("operation", "plan", "OP"),
    ("operation", "plan", "WAITS"),
    ("operation", "plan", "WAITS", "-o", "json"),
    ("operation", "log", "OP"),
    ("operation", "log", "OP", "-o", "json"),
    ("blueprint", "list"),
    ("blueprint", "show", "fargate_db_per_tenant", "-o", "json"),
    ("blueprint", "show", "nothing"),
    ("blueprint", "checklist", "fargate_db_per_tenant"),
    ("blueprint", "checklist", "nothing"),
    ("blueprint", "pipeline", "--for", "atlantis"),
    ("blueprint", "pipeline", "--for", "jenkins"),
    ("template", "outdated"),
    ("blueprint", "cost", "fargate_db_per_tenant", "--tenants", "5"),
    ("blueprint", "apply", "fargate_db_per_tenant", "--environment", "production", "--no-wait"),
    ("blueprint", "destroy", "fargate_db_per_tenant", "--confirm", "no"),
    ("window", "list", "-o", "json"),
    ("user", "list"),
    ("audit", "list", "-o", "json"),
    ("audit", "list", "--subject", "tenant/one"),
    ("audit", "list", "--since", "yesterday"),
    ("audit", "verify", "-o", "json"),
    ("audit", "verify", "--head", "nonsense"),
    ("audit", "export"),
    ("version", "-o", "json"),
]


@pytest.fixture
def names(premises: Premises) -> dict[str, str]:
    """Two tenants, one of which waits for a person."""
    one = premises.tenant("one", labels={"team": "a"}, display_name='evil "\x1b[31m" [red]name')
    two = premises.tenant("two", labels={"team": "b"}, size="small")
    premises.await_approval(two)
    return {"OP": one, "WAITS": two}


def both(terminal: Terminal, through_server: Terminal, words: tuple[str, ...]) -> tuple[Said, Said]:
    return terminal(*words), through_server(*words)


def _unmarked(said: Said) -> Said:
    """Without the note that only the local way has a sandbox to speak of."""
    lines = [line for line in said.err.splitlines() if not line.startswith("SANDBOX")]
    return Said(said.code, said.out, "\n".join(lines))


@pytest.mark.parametrize("words", READS, ids=" ".join)
def test_reading(
    premises: Premises, terminal: Terminal, names: dict[str, str], words: tuple[str, ...]
) -> None:
    through_server = Terminal(
        terminal.capture, ("--server", premises.serve().url, "--token", premises.token())
    )
    words = tuple(names.get(word, word) for word in words)
    local, remote = both(terminal, through_server, words)
    assert _unmarked(local) == _unmarked(remote)
    assert "\x1b" not in local.out


def _shape(answer: dict) -> dict:
    """What does not differ from one asking to the next."""
    volatile = ("id", "created_at", "requested_by", "request_id", "trace", "metadata", "workspace")
    return {name: value for name, value in answer.items() if name not in volatile}


def test_changing(terminal: Terminal, through_server: Terminal) -> None:
    words = ("--no-wait", "--reason", "a pilot", "--label", "team=a", "--users", "12", "-o", "json")
    local = terminal("tenant", "create", "here", *words).json()
    remote = through_server("tenant", "create", "there", *words).json()
    assert {**_shape(local), "tenant": ""} == {**_shape(remote), "tenant": ""}
    assert (local["requested_by"][:6], remote["requested_by"][:6]) == ("local:", "token:")
    for slug in ("here", "there"):
        shown = terminal("tenant", "show", slug, "-o", "json").json()
        assert (shown["labels"], shown["users"], shown["customer_class"]) == ({"team": "a"}, 12, "medium")


_ASKED = re.compile(
    r"(op|req)-[0-9a-z]{16}|tenant-[a-z][0-9a-z]{7}\b|\b[0-9a-f]{32}\b"
    r"|\d{4}-\d\d-\d\dT[0-9:.+]+|(local|token):[\w-]+"
)


def _once(said: Said) -> Said:
    """Without what differs from one asking to the next: ids, the time, and who asked."""
    return Said(said.code, _ASKED.sub("…", said.out), _ASKED.sub("…", said.err))


REHEARSED = [
    ("tenant", "create", "three"),
    ("tenant", "create", "three", "--size", "small", "--label", "team=a", "-o", "json"),
    ("tenant", "create", "three", "-o", "name"),
    ("tenant", "create", "one", "-o", "json"),
    ("tenant", "create", "Not-A-Slug"),
    ("template", "rollout", "-o", "json"),
    ("template", "rollout", "--to", "9.9.9"),
    ("tenant", "resize", "one", "--size", "large"),
    ("tenant", "resize", "one", "--size", "large", "-o", "json"),
    ("tenant", "resize", "one", "--size", "no-such-size"),
    ("tenant", "resize", "nobody", "--size", "large", "-o", "json"),
]


@pytest.mark.parametrize("words", REHEARSED, ids=" ".join)
def test_a_dry_run(
    premises: Premises, terminal: Terminal, names: dict[str, str], words: tuple[str, ...]
) -> None:
    """On hosts where no sandbox runs: both say that they made no plan, and why."""
    premises.finish(names["OP"])
    here = wiring.control_of(load(), premises.control.db)
    premises.control = replace(premises.control, rehearsing=here.rehearsing)
    through_server = Terminal(
        terminal.capture, ("--server", premises.serve().url, "--token", premises.token())
    )
    before = terminal("operation", "list", "-o", "json").json()
    local, remote = both(terminal, through_server, (*words, "--dry-run"))
    assert _once(_unmarked(local)) == _once(_unmarked(remote))
    assert terminal("operation", "list", "-o", "json").json() == before


def test_steering(premises: Premises, terminal: Terminal, through_server: Terminal) -> None:
    for number, way in enumerate((terminal, through_server)):
        operation = premises.tenant(f"t-{number}")
        meaning = premises.await_approval(operation)
        wrong = way("operation", "approve", operation, "--digest", "0000", "--no-wait")
        assert wrong.code == 4
        right = way("operation", "approve", operation, "--digest", meaning[:12], "--no-wait", "-o", "json")
        assert right.json()["metadata"]["blocked"] is False
        cancelled = way("operation", "cancel", operation, "--no-wait", "-o", "json")
        assert (cancelled.code, cancelled.json()["status"]) == (0, "cancelled")
        again = way("operation", "retry", operation, "--no-wait", "-o", "json")
        assert again.json()["id"] != operation


def test_access_and_windows(terminal: Terminal, through_server: Terminal) -> None:
    for name, way in (("a", terminal), ("b", through_server)):
        made = way("token", "create", f"ci-{name}", "--role", "operator", "--tenant", "acme-*", "-o", "json")
        token = made.json()
        assert (token["role"], token["tenants"], token["secret"][:3]) == ("operator", ["acme-*"], "cp_")
        assert way("token", "revoke", token["id"], "-o", "json").json()["state"] == "revoked"
        user = way("user", "add", f"ann-{name}", "--role", "viewer", "-o", "name").out.strip()
        assert way("user", "remove", user).code == 0
        words = ("--effect", "deny", "--cron", "0 2 * * *", "--minutes", "60", "-o", "name")
        window = way("window", "add", f"w-{name}", *words).out.strip()
        assert way("window", "remove", window).code == 0
        assert way("window", "remove", window).code == 5


def test_an_entry_of_the_audit_that_was_touched_is_named(
    premises: Premises, terminal: Terminal, through_server: Terminal
) -> None:
    premises.tenant("acme")
    assert terminal("audit", "verify").code == 0
    with premises.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit_entry SET reason = reason || ' ' WHERE seq = 1")
    local, remote = both(terminal, through_server, ("audit", "verify"))
    assert (local.code, "entry 1 of the audit" in local.err) == (1, True)
    assert _unmarked(local) == _unmarked(remote)


def test_a_key_asked_twice_is_done_once(terminal: Terminal, through_server: Terminal) -> None:
    for slug, way in (("here", terminal), ("there", through_server)):
        words = ("tenant", "create", slug, "--no-wait", "--idempotency-key", f"k-{slug}", "-o", "name")
        assert way(*words).out == way(*words).out


def test_many_from_a_file(terminal: Terminal, through_server: Terminal, tmp_path: Path) -> None:
    rows = [
        {"slug": "f-1", "users": 40, "labels": {"a": "b"}},
        {"slug": "-bad"},
        {"slug": "f-2", "paying": False},
    ]
    lines = tmp_path / "rows.jsonl"
    lines.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    table = tmp_path / "rows.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["slug", "users", "labels", "paying"])
        writer.writeheader()
        writer.writerows(
            [{"slug": "c-1", "users": 40, "labels": "a=b"}, {"slug": "-bad"}, {"slug": "c-2", "paying": "no"}]
        )
    for way, source, prefix in ((terminal, lines, "f"), (through_server, table, "c")):
        rehearsed = way("tenant", "create", "--from", str(source), "--dry-run", "-o", "json")
        assert [item["accepted"] for item in rehearsed.json()["items"]] == [True, False, True]
        done = way("tenant", "create", "--from", str(source), "-o", "json")
        assert (done.code, done.json()["accepted"]) == (1, 2)
        shown = way("tenant", "show", f"{prefix}-1", "-o", "json").json()
        assert (shown["users"], shown["labels"]) == (40, {"a": "b"})


# --- nothing is missing -----------------------------------------------------------------------------


def test_every_kind_of_change_of_a_tenant_is_a_verb() -> None:
    elsewhere = {Kind.CREATE, Kind.PLATFORM, Kind.FINALIZE, Kind.ROLLBACK, Kind.ROLLOUT}
    assert {of.kind.value for of in offered() if of.kind not in elsewhere} <= set(verbs.TENANT_VERBS)


def test_every_field_of_a_request_is_an_option(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for of in offered():
        if of.kind.value not in {*verbs.TENANT_VERBS, "create"}:
            continue
        text = terminal("tenant", of.kind.value, "--help").out
        flags = {"labels": "label"}
        for name in of.request.model_fields:
            if name != "slug":
                assert f"--{flags.get(name, name).strip('_').replace('_', '-')}" in text, (of.kind, name)
