"""Meaning and binding: what keeps an approval, and what voids it."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.domain.errors import Broken
from controlplane.domain.plan.digest import (
    ADOPTED_DIFFERENTLY,
    VOLATILE,
    binding,
    departures,
    is_same_or_remainder,
    meaning,
    normal_changes,
)
from controlplane.domain.plan.masking import mask
from tests.unit.plan.plans import DATABASE, changed, entry, plan, recorded

SECRET = "aws_secretsmanager_secret.master"
SIZE = {"instance_class": "db.t4g.micro", "allocated_storage": 20, "multi_az": False, "identifier": "acme-e1"}
scalars = st.one_of(st.text(min_size=1), st.integers(min_value=1), st.just(True))


def _meaning(document: dict[str, Any]) -> str:
    return meaning(document, "render", "1.0.0")


def _after(document: dict[str, Any], address: str) -> dict[str, Any]:
    return next(e for e in document["resource_changes"] if e["address"] == address)["change"]["after"]


# --- meaning --------------------------------------------------------------------------------------------


@given(seed=st.integers())
def test_the_order_of_resources_does_not_matter(seed: int) -> None:
    document = recorded("create")
    shuffled = copy.deepcopy(document)
    random.Random(seed).shuffle(shuffled["resource_changes"])
    assert _meaning(shuffled) == _meaning(document)


@given(data=st.data(), value=scalars)
def test_any_other_after_value_is_another_meaning(data: st.DataObject, value: Any) -> None:
    document = recorded("resize")
    lasting = sorted(
        name
        for name, old in _after(document, DATABASE).items()
        if name in SIZE or name in ("tags", "username", "kms_key_id", "backup_window", "deletion_protection")
        if old != value
    )
    name = data.draw(st.sampled_from(lasting))
    assert _meaning(changed(document, DATABASE, "after", **{name: value})) != _meaning(document)


@given(name=st.sampled_from([*sorted(VOLATILE), "status", "endpoint", "resource_id"]), value=scalars)
def test_what_moves_by_itself_does_not_matter(name: str, value: Any) -> None:
    document = recorded("resize")
    other = changed(changed(document, DATABASE, "after", **{name: value}), DATABASE, "before", **{name: 7})
    assert _meaning(other) == _meaning(document)


@given(zero=st.sampled_from([None, 0, False, "", [], {}, [None], {"a": ""}, 0.0]))
def test_null_and_zero_mean_the_same(zero: Any) -> None:
    document = plan(entry(SECRET, "create", None, {"name": "n", "x": None}))
    assert _meaning(changed(document, SECRET, "after", x=zero)) == _meaning(document)


def test_the_masked_plan_means_what_the_plan_means() -> None:
    document = recorded("create")
    assert _meaning(mask(document)) == _meaning(document)


def test_timestamps_and_unchanged_resources_do_not_matter() -> None:
    document = recorded("resize")
    other = copy.deepcopy(document) | {"timestamp": "2031-01-01T00:00:00Z"}
    other["resource_changes"] = [e for e in other["resource_changes"] if e["change"]["actions"] != ["no-op"]]
    assert _meaning(other) == _meaning(document)


@pytest.mark.parametrize(
    "other",
    [
        entry(DATABASE, "delete", SIZE),
        entry(DATABASE, "update", {**SIZE, "allocated_storage": 10}, {**SIZE, "allocated_storage": 30}),
        entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 30}, importing={"id": "x"}),
        entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 30}, {"port": True}),
        entry(DATABASE.replace("e1", "e2"), "update", SIZE, {**SIZE, "allocated_storage": 30}),
    ],
)
def test_action_before_import_unknown_and_address_belong_to_the_meaning(other: dict[str, Any]) -> None:
    document = plan(entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 30}))
    assert _meaning(plan(other)) != _meaning(document)


def test_rendering_module_version_and_outputs_belong_to_the_meaning() -> None:
    document = recorded("create")
    assert len({_meaning(document), meaning(document, "x", "1.0.0"), meaning(document, "render", "2")}) == 3
    other = copy.deepcopy(document)
    other["output_changes"]["identifiers"]["after"] = {"e1": "another"}
    assert _meaning(other) != _meaning(document)


def test_what_is_no_plan_has_no_meaning() -> None:
    with pytest.raises(Broken):
        _meaning({"format_version": "1.2", "errored": True})


def test_the_binding_is_of_plan_state_and_providers() -> None:
    whole = binding("p", 3, "l", "h")
    others = {binding("q", 3, "l", "h"), binding("p", 4, "l", "h"), binding("p", None, "l", "h")}
    others |= {binding("p", 3, "m", "h"), binding("p", 3, "l", "i")}
    assert len(others) == 5 and whole not in others and whole == binding("p", 3, "l", "h")


# --- what is left after a crash ---------------------------------------------------------------------------


def _kept(approved: dict[str, Any], new: dict[str, Any]) -> bool:
    stored = json.loads(json.dumps(normal_changes(approved)))
    return is_same_or_remainder(stored, normal_changes(new))


def test_a_re_plan_and_any_part_of_it_keep_the_approval() -> None:
    approved = recorded("create")
    for left in range(len(approved["resource_changes"]) + 1):
        part = copy.deepcopy(approved)
        part["resource_changes"] = part["resource_changes"][:left]
        assert _kept(approved, part)


def _adoption(**also: Any) -> dict[str, Any]:
    """The plan after a crash of the recorded create: the database is there and is imported."""
    database = _after(recorded("create"), DATABASE)
    found = {**database, "multi_az": False, "iops": 3000, "status": "available", "port": 5432}
    before = {**found, **dict.fromkeys(ADOPTED_DIFFERENTLY), "monitoring_interval": None}
    after = {**found, "password_wo_version": 1, "monitoring_interval": 0, **also}
    return plan(entry(DATABASE, "update", before, after, importing={"id": "acme-e1"}))


def test_adopting_what_the_crash_left_behind_keeps_the_approval() -> None:
    assert departures(normal_changes(recorded("create")), normal_changes(_adoption())) == ()


def test_adopting_into_another_size_voids_it() -> None:
    said = departures(
        normal_changes(recorded("create")), normal_changes(_adoption(instance_class="db.m6g.large"))
    )
    assert said == (f"{DATABASE}: instance_class would become another value than approved",)


def test_an_adopted_database_without_change_keeps_the_approval() -> None:
    database = _after(recorded("create"), DATABASE)
    again = plan(entry(DATABASE, "no-op", database, database, importing={"id": "acme-e1"}))
    assert _kept(recorded("create"), again)


@pytest.mark.parametrize(
    "new",
    [
        entry(SECRET, "create", None, {"name": "n"}),
        entry(DATABASE, "delete", SIZE),
        entry(DATABASE, "delete create", SIZE, {**SIZE, "allocated_storage": 30}),
        entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 40}),
        entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 30, "deletion_protection": True}),
        entry(DATABASE, "update", {**SIZE, "port": 5}, {**SIZE, "allocated_storage": 30}),
        entry(DATABASE, "update", SIZE, SIZE, {"allocated_storage": True}),
        entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 30}, {"port": True}),
        entry(DATABASE, "delete", SIZE, deposed="1a2b3c4d"),
    ],
    ids=[
        "another resource",
        "delete",
        "replace",
        "value",
        "more",
        "less",
        "unknown",
        "more unknown",
        "deposed",
    ],
)
def test_anything_beyond_the_approved_update_voids_it(new: dict[str, Any]) -> None:
    approved = plan(entry(DATABASE, "update", SIZE, {**SIZE, "allocated_storage": 30}))
    assert not _kept(approved, plan(new))


def test_one_departure_among_many_remainders_voids_it() -> None:
    approved = recorded("create")
    whole = copy.deepcopy(approved)
    last = normal_changes(approved)[-1]["address"]
    assert not _kept(approved, changed(whole, last, "after", from_port=1))


def test_half_of_an_update_is_a_remainder() -> None:
    wanted = {**SIZE, "allocated_storage": 30, "multi_az": True}
    half = {**SIZE, "allocated_storage": 30}
    assert _kept(plan(entry(DATABASE, "update", SIZE, wanted)), plan(entry(DATABASE, "update", half, wanted)))


def test_the_rest_of_a_replacement_is_a_remainder_in_both_orders() -> None:
    approved = plan(entry(SECRET, "delete create", {"name": "a"}, {"name": "b"}))
    assert _kept(approved, plan(entry(SECRET, "create", None, {"name": "b"})))
    assert _kept(approved, plan(entry(SECRET, "delete", {"name": "a"}, None, deposed="1a2b3c4d")))
    assert not _kept(approved, plan(entry(SECRET, "delete", {"name": "a"})))


def test_a_resource_that_a_crash_tainted_voids_it() -> None:
    approved = plan(
        entry(SECRET, "delete create", {"name": "a"}, {"name": "b"}, action_reason="replace_by_request")
    )
    tainted = plan(
        entry(SECRET, "delete create", {"name": "a"}, {"name": "b"}, action_reason="replace_because_tainted")
    )
    assert _kept(approved, approved) and not _kept(approved, tainted)


def test_a_hidden_value_may_have_changed_already_but_not_change_unapproved() -> None:
    marks = {"before_sensitive": {"v": True}, "after_sensitive": {"v": True}}
    rotate = plan(entry(SECRET, "update", {"v": "old-secret", "n": 1}, {"v": "new-secret", "n": 2}, **marks))
    done = plan(entry(SECRET, "update", {"v": "new-secret", "n": 1}, {"v": "new-secret", "n": 2}, **marks))
    assert _kept(rotate, done) and not _kept(done, rotate)
