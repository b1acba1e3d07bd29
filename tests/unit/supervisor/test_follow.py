"""Terraform's output becomes lines that people read; every raw line is exactly one of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.redaction import MASK, Redactor
from controlplane.supervisor.follow import Activity, Follower


def event(message: str, **more: Any) -> str:
    return json.dumps({"@level": "info", "@message": message, **more}) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "terraform.log"


def follower(log: Path, *known: str) -> Follower:
    return Follower(log, Redactor(known))


def texts(found: Follower) -> list[tuple[str, str]]:
    return [(line.stream, line.text) for line in found.pending]


def test_a_log_that_is_not_there_yet_has_no_lines(log: Path) -> None:
    found = follower(log)
    found.read(last=True)
    assert found.pending == []


def test_a_line_counts_once_its_end_is_written(log: Path) -> None:
    found = follower(log)
    whole = event("one") + event("two")
    log.write_text(whole[:-10])
    found.read()
    assert texts(found) == [("terraform", "one")]
    log.write_text(whole)
    found.read()
    assert texts(found) == [("terraform", "one"), ("terraform", "two")]


def test_the_last_line_counts_without_an_end(log: Path) -> None:
    log.write_text(event("one") + "panic: out of words")
    found = follower(log)
    found.read(last=True)
    assert texts(found) == [("terraform", "one"), ("error", "panic: out of words")]


def test_an_error_says_where_and_why(log: Path) -> None:
    diagnostic = {
        "detail": "There is no such thing.",
        "address": "module.x.y",
        "range": {"filename": "main.tf", "start": {"line": 3}},
    }
    log.write_text(event("Error: no", **{"@level": "error"}, diagnostic=diagnostic))
    found = follower(log)
    found.read()
    assert texts(found) == [("error", "Error: no (module.x.y) at main.tf:3: There is no such thing.")]


@pytest.mark.parametrize(
    "odd", ["[1]", "null", "", "\x00", '{"@message": 5}', '{"hook": 3, "type": "apply_start"}']
)
def test_an_odd_line_is_a_line(log: Path, odd: str) -> None:
    log.write_text(f"{odd}\n" + event("after"))
    found = follower(log)
    found.read()
    assert [line.number for line in found.pending] == [1, 2]
    assert found.pending[1].text == "after"
    assert "\x00" not in found.pending[0].text


def test_a_line_is_redacted_before_anybody_sees_it(log: Path) -> None:
    log.write_text(event('says {"password":"x9"} and canary<1>'))
    found = follower(log, "canary<1>")
    found.read()
    assert texts(found) == [("terraform", f'says {{"password":{MASK}}} and {MASK}')]


def test_a_successor_goes_on_where_the_one_before_stopped(log: Path) -> None:
    log.write_text(event("one") + event("two") + event("three"))
    found = follower(log)
    found.go_on_after(stored=5, of_terraform=2)
    found.note("mine")
    found.read()
    assert [(line.number, line.text) for line in found.pending] == [(6, "mine"), (7, "three")]


def test_lines_wait_in_the_file_while_nobody_stores_them(log: Path) -> None:
    line = event("x" * 2000)
    log.write_text(line * 3000)
    found = follower(log)
    found.read()
    waiting = len(found.pending)
    assert 1000 <= waiting < 3000
    found.stored(found.pending[:waiting])
    found.read(last=True)
    assert found.pending[-1].number == 3000


def step(kind: str, address: str) -> dict[str, Any]:
    return {"type": kind, "hook": {"resource": {"addr": address}}}


def test_terraform_only_waits_when_all_that_is_in_progress_has_said_so() -> None:
    activity = Activity()
    assert not activity.only_waits
    activity.see(step("apply_start", "a"))
    assert not activity.only_waits
    activity.see(step("apply_progress", "a"))
    assert activity.only_waits
    activity.see(step("apply_start", "b"))
    assert not activity.only_waits
    activity.see(step("apply_errored", "b"))
    assert activity.only_waits
    activity.see(step("apply_complete", "a"))
    assert not activity.only_waits
