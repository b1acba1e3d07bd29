"""Cells through the services and both doors: where tenants are placed, and what is done for whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.errors import Invalid, Missing, Refused
from controlplane.domain.quotas.cells import Cell
from controlplane.operations import Create
from controlplane.services import cells, explain, tenants, windows
from controlplane.services import operations as asking
from controlplane.services.bodies import NewWindow
from controlplane.services.control import Ask
from controlplane.services.drift import scanning
from controlplane.services.drift.asked import Scanning
from controlplane.services.schedules import hours
from controlplane.settings import Settings
from controlplane.sources import cells as cells_of
from controlplane.store import operations, platforms, queue
from controlplane.store.fleet import scans
from controlplane.store.fleet.rows import QuotaLimit
from tests.doors.care.neighbourhood import ADMIN, WAY, Neighbourhood
from tests.doors.cli.terminal import Terminal

CELLS = {
    "default": Cell("default", "us-east-1"),
    "second": Cell("second", "us-east-1", account="123456789012", plan_role="arn:p"),
    "eu": Cell("eu", "eu-west-1", closed=True),
}


@pytest.fixture
def town(here: Neighbourhood) -> Neighbourhood:
    """Two cells in one region, each with a platform, and a closed one elsewhere."""
    here.premises.control = here.control = replace(here.control, cells=CELLS)
    with here.control.db.write() as session:
        home = next(row for row in platforms.every(session) if row.environment == "development")
        where = {"blueprint": home.blueprint, "environment": "development", "cell": "second"}
        platforms.ensure(
            session, "platform-second", region="us-east-1", options={}, now=here.clock.now, **where
        )
        platforms.record_outputs(session, "platform-second", {"vpc_id": "vpc-2"}, "ready", here.clock.now)
    return here


def create(here: Neighbourhood, slug: str, **wanted: Any) -> str:
    tenants.create(here.control, ADMIN, Create(slug=slug, **wanted), Ask())
    return str(tenants.show(here.control, ADMIN, slug)["cell"])


def grant(here: Neighbourhood, cell: str, databases: int) -> None:
    row = QuotaLimit(
        region="us-east-1", cell=cell, name="rds_instances", granted=databases, seen_at=here.clock.now
    )
    with here.control.db.write() as session:
        scans.save_limits(session, [row])


def test_who_names_no_cell_lives_in_ours_until_it_fills_up(town: Neighbourhood) -> None:
    assert create(town, "first") == "default"
    grant(town, "default", 3)
    assert create(town, "next") == "second"
    assert {c["name"]: c["tenants"] for c in cells.page(town.control, ADMIN)["items"]} == {
        "default": 1,
        "second": 1,
        "eu": 0,
    }


def test_a_cell_that_is_named_is_taken_refused_or_unknown(town: Neighbourhood) -> None:
    assert create(town, "named", cell="second") == "second"
    with pytest.raises(Refused, match="is closed"):
        create(town, "late", cell="eu")
    with pytest.raises(Invalid, match="no cell 'moon'"):
        create(town, "lost", cell="moon")
    grant(town, "second", 3)
    with pytest.raises(Refused, match="no tenant more in us-east-1, cell second"):
        create(town, "full", cell="second")


def test_with_one_cell_a_tenant_is_placed_as_ever(here: Neighbourhood) -> None:
    assert create(here, "only") == "default"
    with pytest.raises(Invalid, match="no cell 'second'; known: default"):
        create(here, "other", cell="second")


def test_a_worker_does_what_belongs_to_its_cell(town: Neighbourhood) -> None:
    create(town, "here-one", cell="default")
    create(town, "there-one", cell="second")
    with town.control.db.read() as session:
        found = {
            cell: [operations.get(session, id_).tenant_slug for id_ in queue.ready(session, now, 10, cell)]
            for now in [operations.expire_at(town.clock.now, 3650)]
            for cell in ("default", "second", "eu", "")
        }
        assert queue.is_idle(session, town.clock.now, "eu")
        assert not queue.is_idle(session, town.clock.now, "second")
    both = sorted([*found["default"], *found["second"]])
    assert (found["default"], found["second"], found["eu"]) == (["here-one"], ["there-one"], [])
    assert sorted(found[""]) == both


def test_what_waits_is_told_of_the_workers_of_its_own_cell(town: Neighbourhood) -> None:
    for cell in ("default", "second"):
        create(town, f"in-{cell}", cell=cell)
    town.control = replace(town.control, worker_lives=lambda cell: cell == "default")
    told = {cell: explain.explain(town.control, ADMIN, f"in-{cell}") for cell in ("default", "second")}
    assert told["default"]["cause"] == "it waits for a free worker"
    assert told["second"]["cause"] == "no worker is alive in the cell second to take it up"
    for one in told.values():
        shown = asking.show(town.control, ADMIN, one["operation"])["metadata"]
        assert (shown["cause"], shown["who_may_act"]) == (one["cause"], one["who_may_act"])


def test_a_look_at_one_cell_misses_nothing_of_another(town: Neighbourhood) -> None:
    town.tenant("ours")
    town.tenant("theirs")
    town.cloud.remove_database(str(town.slot("theirs")["identifier"]))
    with town.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET cell = 'second' WHERE slug = 'theirs'")
    found = scanning.scan(town.control, ADMIN, Scanning(), WAY)
    assert (found["looked_at"], found["items"]) == (1, [])


def test_a_night_falls_in_every_cell_whichever_worker_has_the_tick(town: Neighbourhood) -> None:
    for slug in ("ours", "theirs", "abroad"):
        town.tenant(slug)
    with town.control.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tenant SET cell = 'second' WHERE slug = 'theirs'")
        connection.exec_driver_sql(
            "UPDATE tenant SET cell = 'eu', region = 'eu-west-1' WHERE slug = 'abroad'"
        )
    always = NewWindow(name="always", effect="sleep", cron="0 0 * * *", minutes=1440)
    windows.add(town.control, ADMIN, always, Ask())
    assert sorted(hours.follow(town.control)) == ["abroad: suspend", "ours: suspend", "theirs: suspend"]


def test_cells_through_both_doors(town: Neighbourhood, capsys: pytest.CaptureFixture[str]) -> None:
    api = town.premises.client()
    terminal = Terminal(capsys, ("--server", str(api.base_url), "--token", town.premises.token(name="p")))
    listed = {one["name"]: one["state"] for one in api.get("/v1/cells").json()["items"]}
    assert (listed["eu"], listed["default"]) == ("closed", "fine")
    shown = api.get("/v1/cells/second").json()
    assert (shown["roles"], shown["account"], shown["is_ours"]) == (["plan_role"], "123456789012", False)
    assert shown["platforms"] == ["fargate_db_per_tenant in development"]
    assert api.get("/v1/cells/moon").status_code == 404
    assert "second" in terminal("cell", "list").out
    assert "rds_instances" in terminal("cell", "show", "second").out
    with pytest.raises(Missing, match="no cell"):
        cells.show(town.control, ADMIN, "moon")


# --- the file -----------------------------------------------------------------------------------------


def test_a_cell_brings_its_roles_and_ours_has_those_of_the_settings_unless_the_file_says_otherwise(
    tmp_path: Path,
) -> None:
    file = tmp_path / "cells.toml"
    file.write_text('[cells.eu]\nregion = "eu-west-1"\nplan_role = "arn:eu"\n')
    found = cells_of(Settings(cells_file=str(file), plan_role="arn:ours"))
    assert (found["default"].plan_role, found["eu"].plan_role) == ("arn:ours", "arn:eu")
    file.write_text('[cells.default]\nregion = "us-east-1"\nplan_role = "arn:file"\n')
    assert cells_of(Settings(cells_file=str(file), plan_role="arn:ours"))["default"].plan_role == "arn:file"
    assert list(cells_of(Settings())) == ["default"]


@pytest.mark.parametrize("text", ["not toml", '[cells.default]\nregion = "eu-west-1"\n'])
def test_a_file_that_cannot_be_read_or_contradicts_the_settings_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "cells.toml"
    file.write_text(text)
    with pytest.raises(Invalid, match="cells"):
        cells_of(Settings(cells_file=str(file)))
    with pytest.raises(Invalid, match="reading the cells"):
        cells_of(Settings(cells_file=str(tmp_path / "absent")))
