"""Who has to approve, what configuration and overrides may change, and what they may not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controlplane.domain.cost.gate import Finding, Level
from controlplane.domain.errors import Invalid
from controlplane.domain.operation import Kind
from controlplane.domain.plan import parse
from controlplane.domain.policy import (
    DEFAULT,
    Decision,
    Facts,
    Override,
    Policy,
    PolicyInput,
    configure,
    decide,
)
from controlplane.domain.tenant import Environment, Size, Stage
from tests.unit.plan.plans import DATABASE, entry, plan, recorded, update

NOW = datetime(2025, 6, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
POC = Facts(
    kind=Kind.RESIZE,
    environment=Environment.DEVELOPMENT,
    region="us-east-1",
    stage=Stage.POC,
    size=Size.MICRO,
    tenant_uid="t1234567",
    regions=frozenset({"us-east-1"}),
    classes=frozenset({"db.t4g.micro", "db.t4g.small"}),
)
PRODUCTION = replace(POC, environment=Environment.PRODUCTION, stage=Stage.PRODUCTION, size=Size.SMALL)
GOOD = {
    "instance_class": "db.t4g.micro",
    "storage_encrypted": True,
    "deletion_protection": True,
    "final_snapshot_identifier": "f",
    "multi_az": True,
    "backup_retention_period": 7,
}
FINE = plan(update(DATABASE, GOOD, instance_class="db.t4g.small"))
UNENCRYPTED = plan(update(DATABASE, {**GOOD, "storage_encrypted": False}, instance_class="db.t4g.small"))
RULE = "database.encryption"


def _decide(
    document: dict[str, Any],
    facts: Facts = POC,
    policy: Policy = DEFAULT,
    overrides: tuple[Override, ...] = (),
    noted: tuple[Finding, ...] = (),
) -> Decision:
    return decide(policy, PolicyInput(parse(document), document, facts, noted), overrides, NOW)


def _cost(rule: str, level: Level = Level.APPROVE) -> Finding:
    return Finding(rule, level, f"{rule} says so", {"delta_usd": "60.00"})


def test_a_poc_inside_its_ceiling_needs_nobody() -> None:
    decision = _decide(FINE)
    assert (decision.needs_approval, decision.refused, decision.findings) == (False, False, ())


def test_production_always_needs_a_person() -> None:
    decision = _decide(FINE, PRODUCTION)
    assert decision.needs_approval and not decision.refused
    assert decision.reasons == ("every change of production needs an approval",)


def test_a_platform_in_production_needs_a_person_too() -> None:
    assert _decide(FINE, replace(PRODUCTION, stage=None, kind=Kind.PLATFORM)).needs_approval


def test_an_empty_plan_needs_nobody_even_in_production() -> None:
    assert _decide(recorded("same"), PRODUCTION) == Decision(False, False, (), ())


@pytest.mark.parametrize(
    "change",
    [
        entry("aws_cloudwatch_metric_alarm.a", "delete", {"a": 1}),
        entry("aws_cloudwatch_metric_alarm.a", "delete create", {"a": 1}, {"a": 2}),
        entry(DATABASE, "forget", GOOD),
        entry("aws_secretsmanager_secret_version.v", "delete create", {"a": 1}, {"a": 2}),
    ],
)
def test_what_deletes_replaces_or_forgets_needs_a_person_in_a_poc_too(change: dict[str, Any]) -> None:
    assert _decide(plan(change)).needs_approval


def test_a_rotation_may_replace_the_version_of_a_secret() -> None:
    change = entry("aws_secretsmanager_secret_version.v", "delete create", {"a": 1}, {"a": 2})
    assert not _decide(plan(change), replace(POC, kind=Kind.ROTATE)).needs_approval


def test_a_destroy_needs_a_person_from_its_first_apply_on() -> None:
    first = plan(update(DATABASE, GOOD, deletion_protection=False))
    decision = _decide(first, replace(POC, kind=Kind.DESTROY))
    assert decision.needs_approval and not decision.refused


# --- cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["cost.step", "cost.percent"])
def test_a_cost_step_needs_a_person_except_in_a_poc_inside_its_ceiling(rule: str) -> None:
    assert not _decide(FINE, noted=(_cost(rule),)).needs_approval
    assert _decide(FINE, noted=(_cost(rule), _cost("cost.ceiling"))).needs_approval
    assert _decide(FINE, replace(POC, stage=None), noted=(_cost(rule),)).needs_approval


def test_an_unknown_cost_closes_the_gate() -> None:
    decision = _decide(FINE, noted=(_cost("cost.unknown", Level.FORBID),))
    assert decision.refused and decision.reasons == ("cost.unknown says so",)


# --- levels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "refused", "needs_approval"),
    [("forbid", True, False), ("approve", False, True), ("advise", False, False)],
)
def test_the_configuration_says_how_strong_a_rule_is(level: str, refused: bool, needs_approval: bool) -> None:
    decision = _decide(UNENCRYPTED, policy=configure({"levels": {RULE: level}}))
    assert (decision.refused, decision.needs_approval) == (refused, needs_approval)
    assert [f.level for f in decision.findings] == [level]


def test_limits_and_cost_rules_are_configured_too() -> None:
    policy = configure(
        {"limits": {"retention_days": 14, "quota_percent": 50}, "levels": {"cost.step": "forbid"}}
    )
    assert "database.retention" in {f.rule for f in _decide(FINE, PRODUCTION, policy).findings}
    assert _decide(FINE, PRODUCTION, policy, noted=(_cost("cost.step"),)).refused
    assert not _decide(FINE, PRODUCTION).refused


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"levels": {"database.encrytion": "advise"}}, "is no rule"),
        ({"levels": {RULE: "allow"}}, "none of advise"),
        ({"levels": {"approval.production": "advise"}}, "cannot be set"),
        ({"limits": {"days": 7}}, "is no limit"),
        ({"limits": {"retention_days": "some"}}, "no whole number"),
        ({"limits": {"retention_days": 0}}, "no whole number"),
        ({"limits": {"quota_percent": 90.5}}, "no whole number"),
        ({"level": {}}, "not part of a policy"),
    ],
)
def test_a_misspelt_policy_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        configure(wrong)


# --- overrides ----------------------------------------------------------------------------------------------


def _override(**other: Any) -> Override:
    return Override(
        **{"rule": RULE, "person": "ann", "reason": "test data only", "expires_at": LATER} | other
    )


def test_an_override_softens_by_one_step_and_is_shown() -> None:
    decision = _decide(UNENCRYPTED, overrides=(_override(),))
    assert (decision.refused, decision.needs_approval) == (False, True)
    (finding,) = decision.findings
    assert (
        finding.evidence["overridden_by"] == "ann" and finding.evidence["override_reason"] == "test data only"
    )
    assert json.loads(json.dumps(decision.to_json()))["findings"][0]["level"] == "approve"


@pytest.mark.parametrize(
    "other",
    [
        {"expires_at": NOW},
        {"expires_at": NOW - timedelta(days=1)},
        {"person": " "},
        {"reason": ""},
        {"rule": "database.retention"},
        {"tenant_uid": "another1"},
    ],
)
def test_an_override_that_expired_or_is_of_something_else_changes_nothing(other: dict[str, Any]) -> None:
    assert _decide(UNENCRYPTED, overrides=(_override(**other),)).refused


def test_an_override_of_this_tenant_counts() -> None:
    assert not _decide(UNENCRYPTED, overrides=(_override(tenant_uid="t1234567"),)).refused


def test_two_overrides_of_one_rule_soften_no_more_than_one() -> None:
    assert _decide(UNENCRYPTED, overrides=(_override(), _override(person="bob"))).needs_approval


def test_nobody_overrides_the_approval_of_production() -> None:
    assert _decide(FINE, PRODUCTION, overrides=(_override(rule="approval.production"),)).needs_approval
