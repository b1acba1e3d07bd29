"""What a plan found: how bad it is, and that nothing is said twice or too loudly."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.drift import Difference, Severity
from controlplane.domain.drift.planned import differences
from controlplane.domain.plan.summary import parse

BENIGN, REAL, DANGEROUS = Severity.BENIGN, Severity.REAL, Severity.DANGEROUS
DATABASE = 'module.database["e1"].aws_db_instance.this'


def change(address: str, *actions: str, before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    kind, name = address.split(".")[-2:]
    said = {"actions": list(actions), "before": before, "after": after, "after_unknown": {}, **more}
    return {"address": address, "type": kind, "name": name, "change": said}


def updated(address: str, *attributes: str) -> dict[str, Any]:
    sides = ({name: number for name in attributes} for number in (1, 2))
    return change(address, "update", before=next(sides), after=next(sides))


def found(*changes: dict[str, Any]) -> list[Difference]:
    document = {"format_version": "1.2", "resource_changes": list(changes), "output_changes": {}}
    return differences(parse(document), "acme")


def test_an_empty_plan_is_no_difference() -> None:
    assert found(change(DATABASE, "no-op"), change("data.aws_region.here", "read")) == []


@pytest.mark.parametrize(
    ("address", "attributes", "severity"),
    [
        ("aws_cloudwatch_metric_alarm.this", ["threshold"], REAL),
        ("aws_cloudwatch_metric_alarm.this", ["tags", "tags_all"], BENIGN),
        ("aws_vpc_security_group_ingress_rule.database", ["cidr_ipv4"], DANGEROUS),
        ("aws_security_group.database", ["ingress"], DANGEROUS),
        (DATABASE, ["ca_cert_identifier"], BENIGN),
        (DATABASE, ["ca_cert_identifier", "iam_database_authentication_enabled"], REAL),
        (DATABASE, ["performance_insights_enabled"], REAL),
    ],
)
def test_what_was_changed_outside_weighs_by_what_it_is(
    address: str, attributes: list[str], severity: Severity
) -> None:
    (only,) = found(updated(address, *attributes))
    assert (only.attribute, only.severity) == (address, severity)
    assert "tags_all" not in only.found
    assert "tenant reconcile acme" in only.next_step


def test_what_the_fast_look_compares_is_not_said_twice() -> None:
    assert found(updated(DATABASE, "instance_class", "publicly_accessible", "tags_all")) == []
    (only,) = found(updated(DATABASE, "instance_class", "port"))
    assert only.found == "port"


def test_a_database_that_is_gone_or_would_be_replaced_is_for_a_person() -> None:
    path = [["storage_encrypted"]]
    replaced, gone = found(
        change('module.database["e2"].aws_db_instance.this', "create", after={}),
        change(DATABASE, "delete", "create", before={}, after={}, replace_paths=path),
    )
    assert (replaced.severity, gone.severity) == (DANGEROUS, DANGEROUS)
    assert "for its storage_encrypted" in replaced.words
    assert all("do not apply" in one.next_step for one in (replaced, gone))


def test_what_is_missing_around_a_database_can_be_made_again() -> None:
    (only,) = found(change("aws_cloudwatch_metric_alarm.this", "create", after={}))
    assert (only.severity, only.found) == (REAL, "gone")
    assert "do not apply" not in only.next_step


def test_a_secret_or_a_key_is_never_replaced_lightly() -> None:
    (secret,) = found(change("aws_secretsmanager_secret.route", "create", "delete", before={}, after={}))
    (alarm,) = found(change("aws_cloudwatch_metric_alarm.old", "delete", before={}))
    assert (secret.severity, alarm.severity) == (DANGEROUS, REAL)


def test_the_worst_stands_first() -> None:
    weights = [
        one.severity
        for one in found(
            updated("aws_ssm_parameter.this", "tags"),
            updated("aws_security_group.database", "ingress"),
            updated("aws_ssm_parameter.this", "type"),
        )
    ]
    assert weights == [DANGEROUS, REAL, BENIGN]
