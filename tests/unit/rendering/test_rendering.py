"""What a rendering holds, and what it refuses before any Terraform runs."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.catalog import load
from controlplane.domain.errors import Invalid
from controlplane.domain.workspace import Import, Rendering
from controlplane.rendering import PROVENANCE_FILE, render_platform, render_tenant, tenant_template
from tests.golden.workspaces import HOME, PLATFORM, TENANTS, platform, tenant, two_slots, with_slot

DATABASE = 'module.database["e1"].aws_db_instance.this'


def values(rendering: Rendering) -> dict[str, Any]:
    path = next(path for path in rendering.files if path.endswith(".auto.tfvars.json"))
    loaded: dict[str, Any] = json.loads(rendering.files[path])
    return loaded


@pytest.mark.parametrize("name", TENANTS)
def test_the_same_input_gives_the_same_bytes(name: str) -> None:
    again = replace(TENANTS[name], platform=dict(reversed(TENANTS[name].platform.items())))
    assert render_tenant(TENANTS[name], load()) == render_tenant(again, load())


def test_the_order_of_labels_changes_nothing() -> None:
    one = render_tenant(tenant(labels={"a": "1", "b": "2"}), load())
    other = render_tenant(tenant(labels={"b": "2", "a": "1"}), load())
    assert one == other


def test_the_provenance_names_every_file_with_its_digest() -> None:
    rendering = render_tenant(tenant(), load())
    provenance = json.loads(rendering.files[PROVENANCE_FILE])
    assert provenance["files"] == {
        path: sha256(text.encode()).hexdigest()
        for path, text in rendering.files.items()
        if path != PROVENANCE_FILE
    }
    assert provenance["template_version"] == rendering.template_version
    assert provenance["workspace"] == "tenant-a1234567"


def test_another_value_gives_another_digest_and_input_digest() -> None:
    one = render_tenant(tenant(), load())
    other = render_tenant(with_slot(tenant(), storage_gb=21), load())
    assert one.digest != other.digest
    inputs = [json.loads(r.files[PROVENANCE_FILE])["input_digest"] for r in (one, other)]
    assert inputs[0] != inputs[1]


def test_tags_say_whose_it_is_and_a_label_cannot_overrule_them() -> None:
    tags = values(render_tenant(tenant(labels={"tenant": "other", "uid": "x"}), load()))["tags"]
    assert tags == {
        "tenant": "acme",
        "uid": "a1234567",
        "blueprint": "fargate_db_per_tenant",
        "managed-by": "controlplane",
        "label:tenant": "other",
        "label:uid": "x",
    }


def test_each_database_is_kept_as_its_own_stage_says_on_a_platform_of_its_own() -> None:
    slots = values(render_tenant(two_slots(), load()))["slots"]
    assert [slots[key]["cost_tier"] for key in ("e1", "e2")] == ["poc-micro", "production-medium"]
    assert [slots[key]["log_days"] for key in ("e1", "e2")] == [7, 30]
    assert slots["e1"]["platform"]["database_subnet_group"] == PLATFORM["database_subnet_group"]
    assert slots["e2"]["platform"]["database_subnet_group"] == HOME["database_subnet_group"]
    assert slots["e2"]["parameter_group"] == HOME["parameter_groups"]["16"]


def test_a_slot_whose_platform_is_not_recorded_names_the_command_that_makes_it() -> None:
    with pytest.raises(Invalid) as caught:
        render_tenant(replace(two_slots(), homes={}), load())
    assert "--environment production" in caught.value.hint


def test_a_tenant_that_moves_has_a_way_in_on_each_of_its_two_platforms() -> None:
    found = values(render_tenant(two_slots(), load()))["access"]
    assert {key: way["priority"] for key, way in found.items()} == {"development": 7, "production": 1}
    assert {key: way["platform"]["domain"] for key, way in found.items()} == {
        "development": PLATFORM["domain"],
        "production": HOME["domain"],
    }


def test_several_databases_on_one_platform_share_one_way_in() -> None:
    source, target = two_slots().slots
    beside = replace(two_slots(), slots=(source, replace(target, environment=source.environment)))
    assert list(values(render_tenant(beside, load()))["access"]) == ["development"]


def test_a_tenant_that_is_pinned_to_a_template_without_ways_in_is_given_none() -> None:
    older = tenant_template("rds_per_tenant", load())
    assert "access" not in values(render_tenant(tenant(template=older), load()))


def test_slots_stand_side_by_side_under_their_epochs() -> None:
    slots = values(render_tenant(two_slots(), load()))["slots"]
    assert sorted(slots) == ["e1", "e2"]
    assert slots["e1"]["identifier"] != slots["e2"]["identifier"]
    assert slots["e1"]["final_snapshot_identifier"] == "acme-a1234567-e1-final"
    assert slots["e2"]["final_snapshot_identifier"] == "acme-a1234567-e2-final"
    assert slots["e2"]["kms_key_arn"] != PLATFORM["database_key_arn"]


def test_two_slots_of_one_epoch_are_refused() -> None:
    slot = tenant().slots[0]
    with pytest.raises(Invalid, match="same epoch"):
        render_tenant(tenant(slots=(slot, slot)), load())


@pytest.mark.parametrize(
    "fact", ["database_subnet_group", "alarm_topic_arn", "parameter_groups", "listener_arn", "domain"]
)
def test_an_unrecorded_platform_fact_is_named(fact: str) -> None:
    recorded = {name: value for name, value in PLATFORM.items() if name != fact}
    with pytest.raises(Invalid, match=f"no recorded {fact}") as caught:
        render_tenant(tenant(platform=recorded), load())
    assert "blueprint apply" in caught.value.hint


def test_a_platform_fact_of_another_type_is_named() -> None:
    with pytest.raises(Invalid, match=r"platform\.alarm_topic_arn is of type list, wanted string"):
        render_tenant(tenant(platform={**PLATFORM, "alarm_topic_arn": ["arn"]}), load())


def test_a_major_without_parameter_group_is_refused() -> None:
    with pytest.raises(Invalid, match="the platform has parameter groups for 16"):
        render_tenant(with_slot(tenant(), engine_version="17.4"), load())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"storage_gb": 19}, "20 to"),
        ({"multi_az": "yes"}, r"slots\['e1'\]\.multi_az is of type str, wanted bool"),
        ({"credential_version": True}, "credential_version is of type bool, wanted number"),
        ({"epoch": 0}, "count from 1"),
        ({"adopted": True, "credential_write": True}, "until it is rotated"),
        ({"engine_version": "9.6"}, "runs 15, 16, 17"),
    ],
)
def test_a_slot_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        render_tenant(with_slot(tenant(), **change), load())


@pytest.mark.parametrize(
    "labels",
    [
        {"a": ""},
        {"": "a"},
        {"a": "<b>"},
        {"a": "two\nlines"},
        {"a": "x" * 257},
        {"a": " padded "},
        {"a": "\ud800"},
        {"a": "\0"},
        {"a": "\ufb2a"},  # falls apart into a letter and a mark in composed form
        {f"key{n}": "v" for n in range(31)},
    ],
)
def test_a_label_that_aws_would_refuse_is_refused(labels: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="label"):
        render_tenant(tenant(labels=labels), load())


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=3))
def test_labels_are_refused_or_come_back_as_tags(labels: dict[str, str]) -> None:
    try:
        rendering = render_tenant(tenant(labels=labels), load())
    except Invalid:
        return
    tags = values(rendering)["tags"]
    assert len([key for key in tags if key.startswith("label:")]) == len(labels)
    hcl = {path: text for path, text in rendering.files.items() if path.endswith(".tf")}
    assert hcl == {p: t for p, t in render_tenant(tenant(), load()).files.items() if p.endswith(".tf")}


@pytest.mark.parametrize(
    "address",
    [
        'module.database["e1"].aws_db_instance.this\nresource',
        'module.database["${x}"].aws_db_instance.this',
        "aws_db_instance.this",
        'module.database["e1"].aws_db_instance.this" }',
        "",
    ],
)
def test_an_import_to_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid, match="no address"):
        render_tenant(tenant(imports=(Import(address, "id"),)), load())


def test_two_imports_to_one_address_are_refused() -> None:
    with pytest.raises(Invalid, match="one address"):
        render_tenant(tenant(imports=(Import(DATABASE, "a"), Import(DATABASE, "b"))), load())


def test_the_import_file_stands_only_where_something_is_imported() -> None:
    assert "imports.tf" not in render_tenant(tenant(), load()).files
    assert "imports.tf" in render_tenant(tenant(imports=(Import(DATABASE, "a"),)), load()).files


def test_no_rendering_knows_where_aws_is_or_who_we_are_there() -> None:
    renderings = [render_tenant(workspace, load()) for workspace in TENANTS.values()]
    for rendering in [*renderings, render_platform(platform(), load())]:
        text = "".join(rendering.files.values())
        for word in (
            "endpoints {",
            "endpoint_url",
            "ENDPOINT",
            "127.0.0.1",
            "localhost",
            "access_key",
            "moto",
        ):
            assert word not in text


def test_a_platform_takes_its_environment_and_what_was_given() -> None:
    given = values(render_platform(platform(zone_count=3, vpc_cidr="10.7.0.0/18"), load()))
    assert given["vpc_cidr"] == "10.7.0.0/18"
    assert given["zones"] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert given["name"] == "fargate-db-per-tenant-development-default"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"zone_count": 9}, "options.zone_count is 9; allowed: 2 to 3"),
        ({"zone_count": True}, "options.zone_count"),
        ({"engine_majors": []}, "options.engine_majors"),
        ({"engine_majors": ["9"]}, "one of 15, 16, 17"),
        ({"vpc_cidr": "10.0.0.0/8"}, "options.vpc_cidr"),
        ({"nat": "gateway"}, "has no option 'nat'"),
    ],
)
def test_an_option_out_of_range_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid, match=message.replace(".", r"\.")):
        render_platform(platform(**options), load())


def test_an_unknown_blueprint_region_or_environment_names_what_there_is() -> None:
    with pytest.raises(Invalid, match="fargate_db_per_tenant"):
        render_tenant(tenant(blueprint="nope"), load())
    with pytest.raises(Invalid, match="us-east-1"):
        render_tenant(tenant(region="mars-1"), load())


def test_options_that_exclude_each_other_are_refused_with_their_reason() -> None:
    with pytest.raises(
        Invalid, match=r'nat_mode = "none", external_calls = true: services outside'
    ) as caught:
        render_platform(platform(nat_mode="none"), load())
    assert {error.field for error in caught.value.errors} == {"options.nat_mode", "options.external_calls"}
    assert (
        values(render_platform(platform(nat_mode="none", external_calls=False), load()))["nat_mode"] == "none"
    )
