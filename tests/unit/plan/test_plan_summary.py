"""Parsing plans: recorded ones give their counts, broken ones are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.domain.errors import Broken
from controlplane.domain.plan import Action, parse
from tests.unit.plan.plans import DATABASE, entry, plan, recorded


def _only(document: dict[str, Any]) -> Any:
    (change,) = parse(document).changes
    return change


def test_a_recorded_create_is_counted_and_named() -> None:
    summary = parse(recorded("create"))
    assert summary.counts["create"] == 5
    assert summary.words() == "5 to create, 2 outputs changed"
    database = next(c for c in summary.changes if c.is_database)
    assert (database.address, database.module, database.slot) == (DATABASE, 'module.database["e1"]', "e1")


def test_a_recorded_plan_without_changes_is_empty() -> None:
    document = recorded("same")
    summary = parse(document)
    assert summary.is_empty is not document["applyable"]
    assert summary.is_empty and summary.words() == "no changes" and summary.counts["no-op"] == 5


def test_a_recorded_resize_names_exactly_what_changes() -> None:
    change = _only(recorded("resize"))
    assert change.action is Action.UPDATE
    assert change.changed == ("allocated_storage", "instance_class", "multi_az")


def test_a_tainted_database_is_a_replacement_with_its_reason() -> None:
    change = _only(recorded("tainted"))
    assert change.action is Action.REPLACE and change.reason == "replace_because_tainted" and change.removes


def test_a_removed_slot_is_deletions_only() -> None:
    summary = parse(recorded("drop"))
    assert {c.action for c in summary.changes} == {Action.DELETE} and len(summary.removals) == 4


def test_a_deposed_object_is_a_deletion_of_its_own() -> None:
    document = plan(
        entry(DATABASE, "no-op", {"id": "a"}, {"id": "a"}),
        entry(DATABASE, "delete", {"id": "b"}, None, deposed="1a2b3c4d"),
    )
    change = _only(document)
    assert (change.action, change.deposed) == (Action.DELETE, "1a2b3c4d")


def test_the_order_of_a_plan_does_not_matter() -> None:
    entries = [entry(DATABASE, "delete", {"id": key}, None, deposed=key) for key in ("00aa", "00bb")]
    assert parse(plan(*entries)) == parse(plan(*reversed(entries)))


@pytest.mark.parametrize("actions", ["delete create", "create delete", "forget create"])
def test_both_orders_of_a_replacement_are_replacements(actions: str) -> None:
    change = _only(plan(entry(DATABASE, actions, {"a": 1}, {"a": 2}, replace_paths=[["kms_key_id"]])))
    assert change.action is Action.REPLACE and change.replace_paths == ("kms_key_id",)


def test_forgetting_removes_nothing_but_is_a_change() -> None:
    summary = parse(plan(entry(DATABASE, "forget", {"a": 1})))
    assert summary.counts["forget"] == 1 and not summary.removals and not summary.is_empty


def test_an_import_without_an_update_is_still_a_change() -> None:
    summary = parse(plan(entry(DATABASE, "no-op", {"a": 1}, {"a": 1}, importing={"id": "acme-e1"})))
    assert summary.counts["import"] == 1 and summary.counts["no-op"] == 0 and not summary.is_empty


def test_a_move_is_a_change() -> None:
    assert not parse(plan(entry(DATABASE, "no-op", {"a": 1}, {"a": 1}, previous_address="x.y"))).is_empty


def test_null_and_zero_values_are_no_change() -> None:
    change = _only(
        plan(entry(DATABASE, "update", {"a": None, "b": 1, "c": ""}, {"a": [], "b": 2, "c": None}))
    )
    assert change.changed == ("b",)


def test_drift_alone_is_no_change() -> None:
    drift = [entry(DATABASE, "update", {"latest_restorable_time": "1"}, {"latest_restorable_time": "2"})]
    assert parse(plan(resource_drift=drift)).is_empty


def test_the_stored_form_is_json_without_values() -> None:
    stored = json.dumps(parse(recorded("resize")).to_json())
    assert '"update": 1' in stored and "db.t4g.small" not in stored


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ([], "not a JSON object"),
        (None, "not a JSON object"),
        ({}, "missing"),
        ({"format_version": "2.0"}, "2.0"),
        ({"format_version": "1.0", "values": {}}, "a state"),
        ({"format_version": "1.2", "errored": True}, "error"),
        ({"format_version": "1.2", "resource_changes": {}}, "not a list"),
        ({"format_version": "1.2", "resource_changes": [7]}, "no address"),
        (plan({"address": "a.b", "type": "a", "name": "b", "change": {}}), "no address, type or actions"),
        (plan(entry(DATABASE, "explode", {}, {})), "explode"),
        ({"format_version": "1.2", "output_changes": [1]}, "not an object"),
    ],
)
def test_what_is_no_finished_plan_is_refused_with_a_reason_and_a_next_step(document: Any, says: str) -> None:
    with pytest.raises(Broken, match="reading a plan") as caught:
        parse(document)
    assert says in caught.value.message and "plan the operation again" in caught.value.hint
