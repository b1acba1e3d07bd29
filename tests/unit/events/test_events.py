"""What is told, in which shape, and when again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane.domain.errors import Invalid
from controlplane.domain.events.catalogue import (
    TYPES,
    check_patterns,
    of_expiry,
    of_phase,
    of_status,
    of_way_back,
    wants,
)
from controlplane.domain.events.retrying import LONGEST_ASKED, PAUSES, pause_after
from controlplane.domain.events.shapes import Form, body_of, cloud_event
from controlplane.domain.operation import Status
from controlplane.domain.tenant import Phase

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ABOUT = {"operation": "op-1", "kind": "create", "tenant": "acme", "workspace": "tenant-x"}


def test_every_event_that_can_be_told_is_in_the_catalogue() -> None:
    told = [of_status(ABOUT, status, NOW) for status in Status]
    told += [of_phase("acme", phase, "requested", "", NOW) for phase in Phase]
    told.append(of_expiry("acme", "2 hours", NOW, NOW))
    told += [of_way_back("acme", "op-1", noted, NOW) for noted in ({}, {"gone_since": "then"})]
    assert {event.type for event in told if event} | {"webhook.test"} == TYPES.keys()


def test_a_status_that_passes_by_itself_is_not_told() -> None:
    assert of_status(ABOUT, Status.PLANNING, NOW) is None


def test_the_page_of_events_has_every_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    written = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `io.controlplane.")}
    assert written == {f"io.controlplane.{name}" for name in TYPES}


def test_an_event_is_a_cloud_event() -> None:
    told = cloud_event("evt-1", {"type": "tenant.ready", "subject": "tenant/acme", "data": {"a": 1}}, NOW)
    assert told["specversion"] == "1.0"
    assert (told["type"], told["time"]) == ("io.controlplane.tenant.ready", "2026-01-31T12:00:00+00:00")
    assert json.loads(body_of(Form.STANDARD, told)) == told


def test_slack_reads_a_sentence_and_no_mention() -> None:
    data = {**ABOUT, "detail": "rejected by bob: <!channel> & more"}
    told = cloud_event(
        "evt-1", {"type": "operation.rejected", "subject": "operation/op-1", "data": data}, NOW
    )
    text = json.loads(body_of(Form.SLACK, told))["text"]
    assert text == "operation rejected: create acme op-1 (rejected by bob: &lt;!channel&gt; &amp; more)"


def test_patterns_choose_events() -> None:
    assert wants(["operation.*"], "operation.failed")
    assert not wants(["operation.*"], "tenant.ready")
    with pytest.raises(Invalid, match="no event is called"):
        check_patterns(["tenant.redy"])


def test_pauses_grow_to_their_end() -> None:
    pauses = [pause_after(n, None, 0.5) for n in range(1, len(PAUSES) + 1)]
    assert pauses == list(PAUSES)
    assert pause_after(len(PAUSES) + 1, None, 0.5) is None
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=4)


def test_a_receiver_may_ask_for_a_pause_but_not_for_days() -> None:
    assert pause_after(1, 120, 0.5) == timedelta(seconds=120)
    assert pause_after(1, 10_000_000, 0.5) == LONGEST_ASKED
    assert pause_after(4, 1, 0.5) == PAUSES[3]
