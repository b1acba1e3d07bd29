"""Who knows of a database: the three-way look through both doors, and a catalog that is rebuilt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.adapters.keyring import FileKeyring
from controlplane.domain.tenant import Environment, Size
from controlplane.domain.workspace import SlotSpec
from controlplane.services.records.finder import orphans
from controlplane.services.records.rebuild import rebuild
from controlplane.store import slots, tenants
from controlplane.store.states import States
from controlplane.store.tenants import rules
from tests.doors.care.neighbourhood import ADMIN, Neighbourhood
from tests.doors.cli.terminal import Terminal

OURS = {"managed-by": "controlplane", "epoch": "1", "stage": "poc", "blueprint": "fargate_db_per_tenant"}
ARN = "arn:aws:rds:us-east-1:123456789012:db:{}"


def stating(here: Neighbourhood, tmp_path: Path, *identifiers: str) -> None:
    """Terraform's states know these."""
    states = States(here.control.db, FileKeyring(tmp_path / "keys" / "key.json"))
    for identifier in identifiers:
        attributes = {"identifier": identifier, "arn": ARN.format(identifier)}
        resource = {"mode": "managed", "type": "aws_db_instance", "name": "this"}
        state: dict[str, Any] = {"version": 4, "serial": 1, "lineage": identifier}
        state["resources"] = [{**resource, "instances": [{"attributes": attributes}]}]
        states.put(f"tenant-{identifier}", json.dumps(state).encode(), written_by="a test")
    here.premises.control = here.control = replace(here.control, states=lambda: states)


def of(here: Neighbourhood, slug: str, *, in_aws: bool) -> str:
    """A tenant that is recorded as being there."""
    identifier = here.tenant(slug)
    if not in_aws:
        here.cloud.remove_database(identifier)
    return identifier


@pytest.fixture
def every_way(here: Neighbourhood, tmp_path: Path) -> dict[str, str]:
    """One database for each combination that somebody knows."""
    found = {
        "managed": of(here, "managed", in_aws=True),
        "unrecorded": of(here, "unrecorded", in_aws=True),
        "vanished": of(here, "vanished", in_aws=False),
        "wanted": of(here, "wanted", in_aws=False),
        "uncatalogued": "uncatalogued",
        "ghost": "ghost",
        "orphan": "orphan",
    }
    for name in ("uncatalogued", "orphan"):
        here.cloud.add_database(name, {**OURS, "tenant": name, "uid": f"u-{name}"})
    here.cloud.add_database("somebody-elses", {"team": "orders"})
    stating(here, tmp_path, *(found[name] for name in ("managed", "vanished", "uncatalogued", "ghost")))
    return found


def test_each_combination_has_its_name_and_its_next_step(
    here: Neighbourhood, every_way: dict[str, str]
) -> None:
    items = {one["identifier"]: one for one in orphans(here.control, ADMIN)["items"]}
    told = {identifier: one["situation"] for identifier, one in items.items()}
    assert told == {identifier: name for name, identifier in every_way.items() if name != "managed"}
    assert "tenant restore" in items[every_way["vanished"]]["next_step"]
    assert items[every_way["vanished"]]["for_a_person"]
    assert "settle" in items[every_way["unrecorded"]]["next_step"]
    assert "catalog rebuild" in items["uncatalogued"]["next_step"]


def test_orphans_through_both_doors(
    here: Neighbourhood, every_way: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    api: httpx.Client = here.premises.client()
    listed = api.get("/v1/catalog/orphans").json()["items"]
    assert len(listed) == 6
    terminal = Terminal(capsys, ("--server", str(api.base_url), "--token", here.premises.token(name="p")))
    said = terminal("catalog", "orphans", "-o", "json").json()["items"]
    assert said == listed
    assert "vanished" in terminal("catalog", "orphans").out
    assert terminal("catalog", "rebuild").code == 64


def test_what_a_switchover_left_or_makes_is_nobodys_orphan(here: Neighbourhood, tmp_path: Path) -> None:
    """The one is kept beside Terraform's; the other belongs to whoever is at work on its twin."""
    identifier = of(here, "managed", in_aws=True)
    stating(here, tmp_path, identifier)
    old = f"{identifier}-old1"
    with here.control.db.write() as session:
        uid = str(slots.holder_of(session, identifier))
        left = SlotSpec(2, old, Size.MICRO, 20, multi_az=False, backup_days=1)
        slots.save(session, uid, left, status=slots.BESIDE)
    [gone] = orphans(here.control, ADMIN)["items"]
    assert (gone["identifier"], gone["situation"], gone["for_a_person"]) == (old, "left_gone", True)
    here.cloud.add_database(old, {**OURS, "tenant": "managed", "uid": uid})
    assert orphans(here.control, ADMIN)["items"] == []


def test_a_rebuilt_tenant_is_the_side_that_has_the_name(here: Neighbourhood, tmp_path: Path) -> None:
    identifier = lost(here)
    here.cloud.add_database(
        f"{identifier}-old1", {**OURS, "tenant": "zeta", "uid": "zeta1234"}, storage_gb=20
    )
    look(here, tmp_path)
    with here.control.db.read() as session:
        assert [(row.identifier, row.storage_gb) for row in slots.every(session, "zeta1234")] == [
            (identifier, 30)
        ]


def lost(here: Neighbourhood, uid: str = "zeta1234", **facts: Any) -> str:
    """A database of ours that no row knows, on the platform for development."""
    key = {"kms_key_id": "arn:key", **facts}
    with here.control.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE platform SET outputs = json_set(outputs, '$.database_key_arn', 'arn:key')"
            " WHERE environment = 'development'"
        )
    identifier = f"zeta-{uid}-e1"
    here.cloud.add_database(identifier, {**OURS, "tenant": "zeta", "uid": uid}, storage_gb=30, **key)
    return identifier


def look(here: Neighbourhood, tmp_path: Path, *, dry_run: bool = False) -> dict[str, Any]:
    return rebuild(here.control, ADMIN, tmp_path / "workspaces", "a test", dry_run=dry_run)


def test_what_the_catalog_has_lost_is_recorded_again(here: Neighbourhood, tmp_path: Path) -> None:
    identifier = lost(here)
    folder = tmp_path / "workspaces" / "tenant-zeta1234"
    folder.mkdir(parents=True)
    rendered = {"slots": {"e1": {"credential_version": 3, "adopted": False, "snapshot_identifier": None}}}
    access = {"access": {"development": {"priority": 5}}}
    (folder / "tenant.auto.tfvars.json").write_text(json.dumps(rendered | access))
    listed = look(here, tmp_path, dry_run=True)
    assert [(i["identifier"], i["what"], i["problem"]) for i in listed["items"]] == [
        (identifier, "database", "")
    ]
    with here.control.db.read() as session:
        assert tenants.find(session, "zeta") is None
    assert look(here, tmp_path)["unknown"][:2] == ["locations", "users"]
    with here.control.db.read() as session:
        row, slot = tenants.by_slug(session, "zeta"), slots.get(session, "zeta1234", 1)
        places = rules.of_tenant(session, "zeta1234")
    assert (row.uid, row.phase, row.unverified, row.storage_gb) == ("zeta1234", "ready", True, 30)
    assert (slot.identifier, slot.status, slot.credential_version) == (identifier, "present", 3)
    assert places == {Environment.DEVELOPMENT: 5}, "its rule stays where it is"
    assert look(here, tmp_path)["items"] == []


def test_what_is_recorded_otherwise_is_listed_and_left_alone(here: Neighbourhood, tmp_path: Path) -> None:
    lost(here)
    look(here, tmp_path)
    here.cloud.change_database("zeta-zeta1234-e1", storage_gb=50)
    [item] = look(here, tmp_path)["items"]
    assert (item["what"], item["recorded"], item["found"]) == ("storage_gb", "30", "50")
    with here.control.db.read() as session:
        assert slots.get(session, "zeta1234", 1).storage_gb == 30


def test_what_a_machine_cannot_tell_is_named_and_not_guessed(here: Neighbourhood, tmp_path: Path) -> None:
    lost(here, kms_key_id="arn:somebody-elses")
    [item] = look(here, tmp_path)["items"]
    assert "no recorded platform" in item["problem"]
    with here.control.db.read() as session:
        assert tenants.find(session, "zeta") is None
