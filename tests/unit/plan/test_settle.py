"""After a crash: what the evidence says, and the one safe way on."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from controlplane.domain.plan.digest import normal_changes
from controlplane.domain.plan.settle import (
    Evidence,
    Outcome,
    Presence,
    RunEnd,
    StateObject,
    Verdict,
    is_named,
    probe_names,
    read_state,
    settle,
    without,
)
from controlplane.domain.plan.situations import SITUATIONS, find_situation, find_situations
from controlplane.domain.workspace import Import
from controlplane.ports import RunStatus
from tests.unit.plan.plans import DATABASE, RECORDED, entry, plan, recorded

CREATE = normal_changes(recorded("create"))
RESIZE = normal_changes(recorded("resize"))
ADDRESSES = [c["address"] for c in CREATE]
ALARM = 'module.database["e1"].aws_cloudwatch_metric_alarm.cpu'
FOUND = Presence("acme-a1b2c3d4-e1", ours=True)


def _state(*addresses: str, **attributes: Any) -> dict[str, StateObject]:
    return {a: StateObject(a, a.split(".")[-2], attributes) for a in addresses}


def _settle(
    planned: Any,
    state: dict[str, StateObject],
    aws: dict[str, Presence] | None = None,
    run: RunEnd = RunEnd.LOST,
    exit_code: int | None = None,
) -> Verdict:
    return settle(Evidence(run, exit_code, planned, state, aws or {}))


def test_the_words_for_a_run_are_those_of_the_runner() -> None:
    assert [e.value for e in RunEnd] == [s.value for s in RunStatus]


def test_a_run_that_goes_on_is_left_alone() -> None:
    assert _settle(CREATE, {}, run=RunEnd.RUNNING).outcome is Outcome.STILL_RUNNING


def test_nothing_there_means_not_started() -> None:
    for run in (RunEnd.NEVER_STARTED, RunEnd.LOST):
        verdict = _settle(CREATE, {}, run=run)
        assert verdict.outcome is Outcome.NOT_STARTED and len(verdict.left) == 5


def test_a_run_that_ended_well_or_left_everything_there_is_applied() -> None:
    assert _settle(CREATE, _state(*ADDRESSES), run=RunEnd.ENDED, exit_code=0).outcome is Outcome.APPLIED
    assert _settle(CREATE, _state(*ADDRESSES)).outcome is Outcome.APPLIED


def test_a_part_is_listed_as_done_and_the_rest_as_left() -> None:
    verdict = _settle(CREATE, _state(ALARM), run=RunEnd.ENDED, exit_code=1)
    assert verdict.outcome is Outcome.PARTIALLY_APPLIED
    assert verdict.done == (ALARM,) and set(verdict.left) == set(ADDRESSES) - {ALARM}


def test_a_database_that_aws_has_and_the_state_has_not_is_adopted() -> None:
    verdict = _settle(CREATE, _state(ALARM), {DATABASE: FOUND})
    assert verdict.outcome is Outcome.ADOPT
    assert verdict.imports == (Import(DATABASE, "acme-a1b2c3d4-e1"),) and verdict.wait_for == ()
    assert DATABASE not in verdict.left and json.dumps(verdict.to_json())


def test_a_database_that_is_still_being_made_is_waited_for() -> None:
    verdict = _settle(CREATE, {}, {DATABASE: Presence("acme-e1", ours=True, available=False)})
    assert verdict.outcome is Outcome.ADOPT and verdict.wait_for == ("acme-e1",)


def test_a_lost_state_is_adopted_whatever_was_planned_except_deletions() -> None:
    assert _settle(RESIZE, {}, {DATABASE: FOUND}).outcome is Outcome.ADOPT
    assert _settle(normal_changes(recorded("drop")), {}, {DATABASE: FOUND}).outcome is not Outcome.ADOPT


def test_what_is_not_ours_is_for_a_person_and_never_imported() -> None:
    verdict = _settle(
        CREATE, {}, {DATABASE: Presence("acme-e1", ours=False), ALARM: Presence("a", ours=True)}
    )
    assert verdict.outcome is Outcome.NEEDS_OPERATOR and "acme-e1" in verdict.reason and not verdict.imports


def test_a_tainted_database_is_for_a_person_whatever_else_is_there() -> None:
    state = read_state(json.loads((RECORDED / "state_tainted.json").read_text()))
    for run, code in ((RunEnd.LOST, None), (RunEnd.ENDED, 0), (RunEnd.NEVER_STARTED, None)):
        verdict = _settle(CREATE, state, {ALARM: FOUND}, run, code)
        assert verdict.outcome is Outcome.NEEDS_OPERATOR and "operation settle" in verdict.next_step


def test_a_tainted_alarm_is_only_left_to_do() -> None:
    verdict = _settle(CREATE, {ALARM: StateObject(ALARM, "aws_cloudwatch_metric_alarm", tainted=True)})
    assert verdict.outcome is Outcome.NOT_STARTED


def test_an_interrupted_replacement_of_a_database_is_for_a_person() -> None:
    replace = normal_changes(recorded("tainted"))
    assert _settle(replace, {}).outcome is Outcome.NEEDS_OPERATOR
    assert _settle(replace, {}, run=RunEnd.NEVER_STARTED).outcome is Outcome.NOT_STARTED
    assert _settle(replace, _state(DATABASE), run=RunEnd.ENDED, exit_code=0).outcome is Outcome.APPLIED


def test_an_update_is_done_when_its_run_ended_well_and_never_because_the_state_says_so() -> None:
    grown = {"allocated_storage": 50, "instance_class": "db.t4g.small", "multi_az": True}
    ended = {"run": RunEnd.ENDED, "exit_code": 0}
    assert _settle(RESIZE, _state(DATABASE, **grown), **ended).outcome is Outcome.APPLIED
    claimed = _settle(RESIZE, _state(DATABASE, **grown), run=RunEnd.ENDED, exit_code=1)
    assert (claimed.outcome, claimed.done, claimed.unproven) == (Outcome.PARTIALLY_APPLIED, (), (DATABASE,))
    assert _settle(RESIZE, _state(DATABASE, **{**grown, "multi_az": False})).outcome is Outcome.NOT_STARTED


def test_an_update_of_a_hidden_value_is_never_taken_for_done() -> None:
    hidden = plan(
        entry(ALARM, "update", {"v": "old-secret"}, {"v": "new-secret"}, after_sensitive={"v": True})
    )
    assert _settle(normal_changes(hidden), _state(ALARM, v="new-secret")).outcome is Outcome.NOT_STARTED


def test_a_deletion_is_done_when_the_state_has_it_no_more() -> None:
    drop = normal_changes(recorded("drop"))
    assert _settle(drop, {}).outcome is Outcome.APPLIED
    assert _settle(drop, _state(DATABASE)).left == (DATABASE,)


def test_a_deposed_object_is_gone_when_its_key_is() -> None:
    drop = normal_changes(plan(entry(ALARM, "delete", {"a": 1}, None, deposed="00aa")))
    with_it = {ALARM: StateObject(ALARM, "aws_cloudwatch_metric_alarm", deposed=frozenset({"00aa"}))}
    assert _settle(drop, with_it).outcome is Outcome.NOT_STARTED
    assert _settle(drop, _state(ALARM)).outcome is Outcome.APPLIED


def test_aws_is_asked_by_name_and_never_for_secret_versions() -> None:
    version = entry("aws_secretsmanager_secret_version.v", "create", None, {"secret_id": "s", "name": "n"})
    names = probe_names((*CREATE, *normal_changes(plan(version))))
    assert names[DATABASE] == ("aws_db_instance", "acme-a1b2c3d4-e1")
    assert names[ALARM] == ("aws_cloudwatch_metric_alarm", "acme-a1b2c3d4-e1-cpu")
    assert names["aws_ssm_parameter.route"] == ("aws_ssm_parameter", "/controlplane/acme/route")
    assert len(names) == 3


def test_state_addresses_are_those_of_plans() -> None:
    state = json.loads((RECORDED / "state_tainted.json").read_text())
    assert set(read_state(state)) == set(ADDRESSES)
    assert [a for a, o in read_state(state).items() if o.tainted] == [DATABASE]
    assert read_state(None) == {}
    instances = [
        {"index_key": 0},
        {"index_key": "a", "deposed": "00aa"},
        {"index_key": "a", "attributes": {"v": 1}},
    ]
    counted = {"resources": [{"mode": "managed", "type": "t", "name": "n", "instances": instances}]}
    found = read_state(counted)
    assert set(found) == {"t.n[0]", 't.n["a"]'}
    assert (found['t.n["a"]'].deposed, found['t.n["a"]'].attributes) == ({"00aa"}, {"v": 1})


def test_what_is_forgotten_leaves_the_state_and_what_is_deposed_stays() -> None:
    instances = [
        {"index_key": "a", "deposed": "00aa", "attributes": {}},
        {"index_key": "a", "status": "tainted", "attributes": {}},
        {"index_key": "b", "attributes": {}},
    ]
    one = {"mode": "managed", "type": "t", "name": "n", "instances": instances}
    other = {"mode": "managed", "type": "t", "name": "m", "instances": [{"attributes": {}}]}
    state = {"serial": 4, "lineage": "x", "resources": [one, other]}
    left = without(state, ['t.n["a"]', "t.m"])
    assert (left["serial"], left["lineage"]) == (5, "x")
    assert [len(r["instances"]) for r in left["resources"]] == [2]
    assert read_state(left)['t.n["a"]'].deposed == {"00aa"}
    assert without(state, ["t.none"]) == state


# --- three-way look -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", list(itertools.product([True, False], repeat=3)))
def test_every_combination_of_catalog_state_and_aws_has_a_name_and_a_next_step(
    known: tuple[bool, ...],
) -> None:
    situation = find_situation(in_catalog=known[0], in_state=known[1], in_aws=known[2])
    assert situation.name and situation.next_step
    assert situation.is_fine == (known in ((True, True, True), (False, False, False)))


def test_the_eight_situations_have_eight_names() -> None:
    assert len({s.name for s in SITUATIONS.values()}) == len(SITUATIONS) == 8


def test_everything_that_anybody_knows_is_found_and_foreign_things_are_told_apart() -> None:
    found = find_situations(
        catalog=["a", "b", "c", "d"], state=["a", "c", "x"], aws={"a": True, "b": True, "y": True, "d": False}
    )
    assert {name: s.name for name, s in found.items()} == {
        "a": "managed",
        "b": "unrecorded",
        "c": "vanished",
        "d": "foreign",
        "x": "ghost",
        "y": "orphan",
    }


BALANCING = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
LISTENER, RULE = f"{BALANCING}:listener/app/one/1/2", f"{BALANCING}:listener-rule/app/one/1/2/3"
POLICY = "acme-a1b2c3d4-production"


@pytest.mark.parametrize(
    ("type_", "name", "arn"),
    [
        (
            "aws_lb_listener_rule",
            f"{BALANCING}:listener/app/one/1/2",
            f"{BALANCING}:listener-rule/app/one/1/2/3",
        ),
        ("aws_iam_policy", POLICY, f"arn:aws:iam::123456789012:policy/controlplane/{POLICY}"),
        ("aws_secretsmanager_secret", "one", "arn:aws:secretsmanager:us-east-1:123456789012:secret:one"),
    ],
)
def test_what_aws_names_otherwise_than_a_plan_is_known_by_its_arn(type_: str, name: str, arn: str) -> None:
    assert is_named(type_, name, arn)
    assert not is_named(type_, name, arn.replace("one", "two").replace("acme", "x-acme"))
