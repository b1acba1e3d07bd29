"""The table: every bad plan is refused by the rule that is meant, every good one passes."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import controlplane.domain.policy as policy_package
from controlplane.domain.operation import Kind
from controlplane.domain.plan import parse
from controlplane.domain.policy import DEFAULT, RULES, Decision, Facts, PolicyInput, QuotaUse, decide
from controlplane.domain.policy.network.open_port import is_world
from controlplane.domain.tenant import Environment, Size, Stage
from tests.unit.plan.plans import DATABASE, changed, entry, plan, recorded, update

NOW = datetime(2025, 6, 2, tzinfo=UTC)
RULE = 'module.database["e1"].aws_vpc_security_group_ingress_rule.application'
GROUP = 'module.database["e1"].aws_security_group.this'
SECRET = 'module.database["e1"].aws_secretsmanager_secret_version.master'
TASK, FUNCTION = "aws_ecs_task_definition.app", "aws_lambda_function.app"
GOOD = {
    "engine": "postgres",
    "identifier": "acme-e1",
    "instance_class": "db.t4g.small",
    "allocated_storage": 20,
    "multi_az": True,
    "backup_retention_period": 7,
    "storage_encrypted": True,
    "publicly_accessible": False,
    "deletion_protection": True,
    "skip_final_snapshot": False,
    "final_snapshot_identifier": "acme-e1-final",
    "port": 5432,
}
PROD = Facts(
    kind=Kind.RESIZE,
    environment=Environment.PRODUCTION,
    region="us-east-1",
    stage=Stage.PRODUCTION,
    size=Size.SMALL,
    regions=frozenset({"us-east-1", "eu-central-1"}),
    classes=frozenset({"db.t4g.micro", "db.t4g.small", "db.t4g.medium", "db.m6g.large"}),
)
POC = replace(PROD, environment=Environment.DEVELOPMENT, stage=Stage.POC, size=Size.MICRO)
POC_GOOD = {**GOOD, "instance_class": "db.t4g.micro", "multi_az": False, "backup_retention_period": 1}
WORLD = {"cidr_ipv4": "0.0.0.0/0"}
INGRESS = {"from_port": 5432, "to_port": 5432, "ip_protocol": "tcp"}


def _create(**values: Any) -> dict[str, Any]:
    return plan(entry(DATABASE, "create", None, {**GOOD, **values}))


def _unknown(name: str) -> dict[str, Any]:
    after = {key: value for key, value in GOOD.items() if key != name}
    return plan(entry(DATABASE, "create", None, after, {name: True}))


def _with(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return plan(entry(DATABASE, "create", None, GOOD), *entries, **more)


def _ingress(**values: Any) -> dict[str, Any]:
    return _with(entry(RULE, "create", None, {**INGRESS, **values}))


def _inline(**values: Any) -> dict[str, Any]:
    rule = {"from_port": 5432, "to_port": 5432, "protocol": "tcp", "cidr_blocks": [], **values}
    return _with(entry(GROUP, "create", None, {"ingress": [rule]}))


def _decide(document: dict[str, Any], facts: Facts = PROD) -> Decision:
    return decide(DEFAULT, PolicyInput(parse(document), document, facts), (), NOW)


def _delete(**more: Any) -> dict[str, Any]:
    return plan(entry(DATABASE, "delete", {**GOOD, **more}))


def _configured(**root: Any) -> dict[str, Any]:
    return _with(configuration={"root_module": root})


BAD: list[tuple[str, str, dict[str, Any], Facts]] = [
    ("delete outside destroy", "database.removal", _delete(), PROD),
    ("delete in a PoC", "database.removal", _delete(), POC),
    ("a removed slot, recorded", "database.removal", recorded("drop"), PROD),
    ("another slot than the finalised", "database.removal", _delete(),
     replace(PROD, kind=Kind.FINALIZE, removable_slots=frozenset({"e2"}))),
    ("deposed database", "database.removal",
     plan(entry(DATABASE, "delete", GOOD, deposed="00aa11bb")), PROD),
    ("replacement by key", "database.removal",
     plan(entry(DATABASE, "delete create", GOOD, GOOD, replace_paths=[["kms_key_id"]])), PROD),
    ("replacement, create first", "database.removal",
     plan(entry(DATABASE, "create delete", GOOD, GOOD)), PROD),
    ("tainted, recorded", "database.removal", recorded("tainted"), PROD),
    ("replacement even in destroy", "database.removal", plan(entry(DATABASE, "delete create", GOOD, GOOD)),
     replace(PROD, kind=Kind.DESTROY)),
    ("cluster", "database.removal", plan(entry("aws_rds_cluster.this", "delete", GOOD)), PROD),
    ("the key of the data", "database.removal", plan(entry("aws_kms_key.data", "delete", {"id": "k"})), PROD),
    ("public", "network.public_access", _create(publicly_accessible=True), PROD),
    ("perhaps public", "network.public_access", _unknown("publicly_accessible"), PROD),
    ("made public", "network.public_access", plan(update(DATABASE, GOOD, publicly_accessible=True)), POC),
    ("open to IPv4", "network.open_port", _ingress(**WORLD), PROD),
    ("open to IPv6", "network.open_port", _ingress(cidr_ipv6="::/0"), PROD),
    ("open in two halves", "network.open_port", _ingress(cidr_ipv4="128.0.0.0/1"), PROD),
    ("open by any protocol", "network.open_port",
     _ingress(**WORLD, ip_protocol="-1", from_port=None, to_port=None), PROD),
    ("open by a range", "network.open_port", _ingress(**WORLD, from_port=0, to_port=65535), POC),
    ("inline IPv4", "network.open_port", _inline(cidr_blocks=["10.0.0.0/8", "0.0.0.0/0"]), PROD),
    ("inline IPv6", "network.open_port", _inline(ipv6_cidr_blocks=["::/0"]), PROD),
    ("old rule resource", "network.open_port", _with(entry("aws_security_group_rule.r", "create", None, {
        "type": "ingress", "from_port": 0, "to_port": 9999, "protocol": "6", "cidr_blocks": ["0.0.0.0/0"]})),
     POC),
    ("open on another port of the database", "network.open_port",
     plan(entry(DATABASE, "create", None, {**GOOD, "port": 6000}),
          entry(RULE, "create", None, {**INGRESS, **WORLD, "from_port": 6000, "to_port": 6000})),
     PROD),
    ("password in the state", "database.password", _create(password="hunter2"), POC),
    ("password literal", "database.password", _configured(resources=[
        {"address": "aws_db_instance.a", "expressions": {"password_wo": {"constant_value": "hunter2"}}}]),
     POC),
    ("password literal to a module", "database.password", _configured(module_calls={
        "db": {"expressions": {"master_password": {"constant_value": "hunter2"}}, "module": {}}}), POC),
    ("secret literal in a module", "database.password",
     _configured(module_calls={"db": {"module": {"resources": [
        {"address": "aws_x.y", "expressions": {"secret_string": {"constant_value": "hunter2"}}}]}}}), POC),
    ("password as a variable", "database.password",
     _with(variables={"db_password": {"value": "hunter2"}}), POC),
    ("password in a container", "database.password", _with(entry(TASK, "create", None, {
        "container_definitions": '[{"environment":[{"name":"PGPASSWORD","value":"hunter2"}]}]'})), POC),
    ("password in a function", "database.password", _with(entry(FUNCTION, "create", None, {
        "environment": [{"variables": {"DB_PASSWORD": "hunter2"}}]})), POC),
    ("final snapshot skipped", "database.final_snapshot", _create(skip_final_snapshot=True), POC),
    ("deleted without snapshot", "database.final_snapshot",
     _delete(skip_final_snapshot=True), replace(POC, kind=Kind.DESTROY)),
    ("deleted without a snapshot's name", "database.final_snapshot",
     _delete(final_snapshot_identifier=None), replace(POC, kind=Kind.DESTROY)),
    ("six days of backups", "database.retention", _create(backup_retention_period=6), PROD),
    ("no backups said", "database.retention", _unknown("backup_retention_period"), PROD),
    ("backups reduced", "database.retention", plan(update(DATABASE, GOOD, backup_retention_period=1)), PROD),
    ("production without standby", "database.multi_az", _create(multi_az=False), PROD),
    ("production perhaps without standby", "database.multi_az", _unknown("multi_az"), PROD),
    ("unencrypted", "database.encryption", _create(storage_encrypted=None), POC),
    ("adopted unencrypted", "database.encryption",
     plan(entry(DATABASE, "no-op", {**GOOD, "storage_encrypted": False}, {**GOOD, "storage_encrypted": False},
                importing={"id": "x"})), PROD),
    ("unprotected", "database.protection", plan(update(DATABASE, GOOD, deletion_protection=False)), POC),
    ("micro in production", "database.micro", _create(instance_class="db.t4g.micro"), PROD),
    ("unknown class in production", "database.micro", _unknown("instance_class"), PROD),
    ("class outside the catalog", "catalog.region_or_class", _create(instance_class="db.r6g.16xlarge"), POC),
    ("region outside the catalog", "catalog.region_or_class", _create(), replace(POC, region="mars-1")),
    ("provider in another region", "catalog.region_or_class", _with(configuration={"provider_config": {
        "aws": {"name": "aws", "expressions": {"region": {"constant_value": "mars-1"}}}}}), POC),
    ("quota beyond nine tenths", "catalog.quota", _create(),
     replace(POC, quotas=(QuotaUse("DB instances", 36, 1, 40),))),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "document", "facts"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_every_bad_plan_is_refused_by_its_rule(rule: str, document: dict[str, Any], facts: Facts) -> None:
    decision = _decide(document, facts)
    assert decision.refused
    assert rule in {f.rule for f in decision.findings if f.level == "forbid"}
    assert all(f.evidence["why"] for f in decision.findings)
    assert "hunter2" not in str(decision.to_json())


def test_the_table_covers_every_rule_that_forbids() -> None:
    assert {c[1] for c in BAD} == {rule.name for rule in RULES if rule.level == "forbid"} and len(BAD) >= 30


GOOD_PLANS: list[tuple[str, dict[str, Any], Facts]] = [
    ("production", _create(), PROD),
    ("PoC", plan(entry(DATABASE, "create", None, POC_GOOD)), POC),
    ("destroy", _delete(), replace(PROD, kind=Kind.DESTROY)),
    ("destroy of what was kept badly",
     plan(update(DATABASE, {**POC_GOOD, "storage_encrypted": False}, deletion_protection=False)),
     replace(PROD, kind=Kind.DESTROY, region="mars-1")),
    ("finalised slot", _delete(),
     replace(PROD, kind=Kind.FINALIZE, removable_slots=frozenset({"e1"}))),
    ("decided micro", _create(instance_class="db.t4g.micro"),
     replace(PROD, rightsizing_decision="ann: idle")),
    ("from the application", _ingress(referenced_security_group_id="sg-1"), PROD),
    ("from the VPC", _ingress(cidr_ipv4="10.0.0.0/16"), PROD),
    ("web for the world", _ingress(**WORLD, from_port=443, to_port=443), PROD),
    ("another protocol", _ingress(**WORLD, ip_protocol="udp"), PROD),
    ("outgoing", _with(entry("aws_security_group_rule.r", "create", None,
     {"type": "egress", "from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]})),
     PROD),
    ("a rule that closes", _with(entry(RULE, "delete", {**INGRESS, **WORLD})), PROD),
    ("secrets by reference", _with(entry(TASK, "create", None, {
        "container_definitions": '[{"environment":[{"name":"PGHOST","value":"h"}],'
        '"secrets":[{"name":"PGPASSWORD","valueFrom":"arn"}]}]'})), PROD),
    ("quota at nine tenths", _create(), replace(PROD, quotas=(QuotaUse("DB instances", 35, 1, 40),))),
    ("a full quota that is not used", _create(), replace(PROD, quotas=(QuotaUse("x", 40, 0, 40),))),
]  # fmt: skip


@pytest.mark.parametrize(("document", "facts"), [c[1:] for c in GOOD_PLANS], ids=[c[0] for c in GOOD_PLANS])
def test_no_good_plan_is_refused(document: dict[str, Any], facts: Facts) -> None:
    assert not _decide(document, facts).refused


def test_the_recorded_resize_into_production_is_refused_for_its_backups_only() -> None:
    facts = replace(PROD, kind=Kind.UPGRADE)
    without_literals = copy.deepcopy(recorded("resize"))
    del without_literals["configuration"]
    assert [f.rule for f in _decide(without_literals, facts).findings if f.level == "forbid"] == [
        "database.retention"
    ]
    mended = changed(without_literals, DATABASE, "after", backup_retention_period=7)
    assert not _decide(mended, facts).refused


def test_a_literal_in_the_recorded_configuration_is_found() -> None:
    decision = _decide(recorded("create"), POC)
    assert [f.evidence["address"] for f in decision.findings if f.rule == "database.password"] == [
        "module.database.aws_db_instance.this"
    ]


def test_doubts_ask_for_a_person_instead_of_refusing() -> None:
    unknown = _with(entry(RULE, "create", None, INGRESS, {"cidr_ipv4": True}))
    quota = replace(POC, quotas=(QuotaUse("DB instances", 1, 1, None),))
    for decision in (_decide(unknown, POC), _decide(_create(), quota)):
        assert decision.needs_approval and not decision.refused


@pytest.mark.parametrize(
    ("cidr", "world"),
    [
        ("0.0.0.0/0", True), ("::/0", True), ("0.0.0.0/1", True), ("8.0.0.0/8", True), ("2000::/3", True),
        ("anything", True), ("10.0.0.0/8", False), ("172.16.0.0/12", False), ("fd00::/8", False),
        ("203.0.113.7/32", False), ("203.0.0.0/16", False), ("2001:db8::/32", False),
    ],
)  # fmt: skip
def test_the_world_is_told_from_a_network(cidr: str, world: bool) -> None:
    assert is_world(cidr) is world


def test_every_rule_file_is_registered_once_and_says_why() -> None:
    folder = Path(policy_package.__file__).parent
    files = {f"{p.parent.name}.{p.stem}" for p in folder.glob("*/*.py") if p.stem != "__init__"}
    registered = [".".join(rule.check.__module__.split(".")[-2:]) for rule in RULES]
    assert sorted(registered) == sorted(files)
    assert len({rule.name for rule in RULES}) == len(RULES) and all(rule.why for rule in RULES)
