"""What the fake `Cloud` adds for tests: a world that outlives its process, and faults on order."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.domain.errors import Denied, Throttled, Unavailable
from tests.fakes.cloud import FakeCloud

OURS = {"uid": "a1234567", "epoch": "1"}


def test_a_successor_sees_the_same_world(tmp_path: Path) -> None:
    FakeCloud(tmp_path / "cloud.json").ensure_secret("name", "one", OURS, "token")
    FakeCloud(tmp_path / "cloud.json").add_database("acme", OURS)
    third = FakeCloud(tmp_path / "cloud.json")
    assert third.read_secret("name") == "one"
    assert [one.identifier for one in third.databases()] == ["acme"]


@pytest.mark.parametrize(
    ("fault", "kind"), [("throttled", Throttled), ("denied", Denied), ("unavailable", Unavailable)]
)
def test_a_fault_strikes_before_the_effect_and_only_as_often_as_ordered(
    fault: str, kind: type[Exception]
) -> None:
    cloud = FakeCloud()
    cloud.world.inject("write_parameter", fault, times=2)
    for _ in range(2):
        with pytest.raises(kind):
            cloud.write_parameter("name", "one")
    assert cloud.read_parameter("name") is None
    cloud.write_parameter("name", "one")
    assert cloud.read_parameter("name") == "one"


def test_a_lost_answer_has_had_its_effect(tmp_path: Path) -> None:
    cloud = FakeCloud(tmp_path / "cloud.json")
    cloud.add_database("acme")
    cloud.world.inject("create_snapshot", "lost_answer")
    with pytest.raises(Unavailable):
        cloud.create_snapshot("acme-final", "acme", OURS)
    assert FakeCloud(tmp_path / "cloud.json").snapshot("acme-final") is not None


def test_a_stale_read_shows_what_was_before_the_last_change() -> None:
    cloud = FakeCloud()
    cloud.write_parameter("name", "one")
    cloud.write_parameter("name", "two")
    cloud.world.inject("read_parameter", "stale")
    assert [cloud.read_parameter("name") for _ in range(2)] == ["one", "two"]


def test_an_unknown_fault_is_refused_and_calls_are_counted() -> None:
    cloud = FakeCloud()
    with pytest.raises(ValueError, match="thunder"):
        cloud.world.inject("database", "thunder")
    cloud.database("acme")
    assert cloud.world.calls("database") == ["database acme"]
