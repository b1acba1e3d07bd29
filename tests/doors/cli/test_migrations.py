"""`migration show|advance|rollback|finalize`: the same through the command line, its server and HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from controlplane.domain.operation import Status
from controlplane.domain.tenant import Size
from controlplane.domain.workspace import SlotSpec
from controlplane.store import moves, slots, tenants
from controlplane.store.moves import Migration
from tests.doors.api.test_problems import assert_problem
from tests.doors.cli.terminal import Terminal
from tests.doors.premises import ADMIN, Premises

QUIET = ("--no-wait", "-o", "json")


def moved(
    premises: Premises, slug: str, hours: int = 1, status: Status = Status.SUCCEEDED, **columns: Any
) -> str:
    """A tenant that was upgraded and soaks since some hours, unless said otherwise."""
    operation = premises.tenant(slug)
    premises.finish(operation, status)
    opened = premises.control.now() - timedelta(hours=hours)
    with premises.control.db.write() as session:
        tenant = tenants.find(session, slug)
        assert tenant is not None
        for epoch in (1, 2):
            name = f"{slug}-{tenant.uid}-e{epoch}"
            spec = SlotSpec(epoch, name, Size.MICRO, 20, multi_az=False, backup_days=1)
            slots.save(session, tenant.uid, spec, status="present")
        by = {"actor": ADMIN.name, "now": opened}
        tenants.change(session, tenant.uid, {"migration_state": "soaking"}, **by)
        at = {"endpoint": "db", "port": 5432, "epoch": 2, "unverified": False, "now": opened}
        tenants.set_route(session, tenant.uid, **at)
        times = [{"state": s, "at": opened.isoformat(), "operation": operation} for s in ("open", "soaking")]
        row = {
            "id": f"op-{slug}",
            "tenant_uid": tenant.uid,
            "holder": operation,
            "strategy": "snapshot_restore",
            "state": "soaking",
            "flip": "flipped",
            "from_epoch": 1,
            "to_epoch": 2,
            "token": "t",
            "requested_by": ADMIN.name,
            "outage_minutes": 30,
            "fenced_epoch": 1,
            "fenced_at": opened,
            "timings": times,
            "created_at": opened,
            "opened_at": opened,
            **columns,
        }
        moves.begin(session, Migration(**row))
    return operation


@pytest.fixture(params=["here", "through a server"])
def way(request: pytest.FixtureRequest, terminal: Terminal, through_server: Terminal) -> Terminal:
    return terminal if request.param == "here" else through_server


def test_the_picture_is_the_same_through_every_door(
    premises: Premises, terminal: Terminal, through_server: Terminal, http: httpx.Client
) -> None:
    moved(premises, "acme")
    words = ("migration", "show", "acme", "-o", "json")
    seen = terminal(*words).json()
    others = [through_server(*words).json(), http.get("/v1/tenants/acme/migration").json()]
    counting = seen["fallback"].pop("seconds_left")
    assert [abs(o["fallback"].pop("seconds_left") - counting) < 300 for o in others] == [True, True]
    assert others == [seen, seen]
    assert (seen["state"], seen["truth"], seen["fence"]["closed"]) == ("soaking", "e2", "e1")
    assert seen["rollback_loses"].startswith("everything written since")
    assert seen["next_command"] == "controlplane migration show acme"


def test_the_picture_reads_well(premises: Premises, way: Terminal) -> None:
    moved(premises, "acme", hours=25)
    out = way("migration", "show", "acme").out
    assert "controlplane migration finalize acme" in out
    assert "e1 since" in out and "soaking" in out


def test_a_tenant_that_never_moved_has_no_picture(
    premises: Premises, way: Terminal, http: httpx.Client
) -> None:
    premises.finish(premises.tenant("acme"))
    said = way("migration", "show", "acme")
    assert (said.code, "tenant upgrade acme" in said.err) == (5, True)
    assert way("migration", "show", "nobody").code == 5
    assert_problem(http.get("/v1/tenants/acme/migration"), 404, "not_found")


def test_a_strategy_that_may_not_be_taken_is_answered_with_its_reason_and_the_closest(
    premises: Premises, way: Terminal, http: httpx.Client
) -> None:
    premises.finish(premises.tenant("acme"))
    said = way("tenant", "upgrade", "acme", "--strategy", "rds_blue_green", *QUIET)
    assert said.code == 3
    assert "under the key of development" in said.err.replace("\n", " ")
    assert "--acknowledge stays_in_network" in said.err
    assert "--strategy logical_replication" in said.err
    body = {"strategy": "rds_blue_green"}
    assert_problem(http.post("/v1/tenants/acme/upgrade", json=body), 409, "refused")


def test_a_way_back_that_gives_something_up_says_so_first(
    premises: Premises, way: Terminal, http: httpx.Client
) -> None:
    moved(premises, "acme")
    said = way("migration", "rollback", "acme", *QUIET)
    assert (said.code, "--accept-loss" in said.err) == (3, True)
    refused = http.post("/v1/tenants/acme/migration/rollback", json={})
    assert_problem(refused, 409, "refused")
    begun = way("migration", "rollback", "acme", "--accept-loss", *QUIET).json()
    assert (begun["kind"], begun["status"]) == ("rollback", "pending")


def test_a_way_back_that_loses_nothing_needs_no_acceptance(premises: Premises, way: Terminal) -> None:
    moved(premises, "acme", receipts={"reverse": {"armed": True}})
    assert "nothing" in way("migration", "show", "acme", "-o", "json").json()["rollback_loses"]
    assert way("migration", "rollback", "acme", *QUIET).json()["kind"] == "rollback"


def test_before_the_switch_a_rollback_calls_it_off(premises: Premises, way: Terminal) -> None:
    moved(premises, "acme", state="seeding", flip="open", opened_at=None)
    upgrade = premises.tenant("other")  # stands for the upgrade, which is not over
    with premises.control.db.write() as session:
        moves.note(session, "op-acme", holder=upgrade)
    said = way("migration", "rollback", "acme", *QUIET).json()
    assert (said["id"], said["status"]) == (upgrade, "cancelled")


def test_a_finalize_waits_for_a_day_or_a_reason(
    premises: Premises, way: Terminal, http: httpx.Client
) -> None:
    moved(premises, "acme")
    early = way("migration", "finalize", "acme", *QUIET)
    assert (early.code, "--override" in early.err) == (3, True)
    assert_problem(http.post("/v1/tenants/acme/migration/finalize", json={}), 409, "refused")
    begun = way("migration", "finalize", "acme", "--override", "--reason", "they asked", *QUIET).json()
    assert (begun["kind"], begun["reason"]) == ("finalize", "they asked")


def test_advance_finalizes_what_has_soaked(premises: Premises, way: Terminal) -> None:
    moved(premises, "early")
    assert way("migration", "advance", "early", *QUIET).code == 3
    moved(premises, "done", hours=25)
    assert way("migration", "advance", "done", *QUIET).json()["kind"] == "finalize"


def test_advance_settles_what_is_held(premises: Premises, way: Terminal, http: httpx.Client) -> None:
    held = moved(premises, "acme", status=Status.NEEDS_OPERATOR, state="verified", flip="open")
    assert http.get("/v1/tenants/acme/migration").json()["next_command"].endswith(f"settle {held}")
    assert way("migration", "advance", "acme", *QUIET).json()["id"] == held


def test_who_only_reads_steers_no_migration(premises: Premises) -> None:
    moved(premises, "acme")
    viewer = premises.client(premises.token("viewer"))
    assert viewer.get("/v1/tenants/acme/migration").status_code == 200
    for verb in ("advance", "rollback", "finalize"):
        assert_problem(viewer.post(f"/v1/tenants/acme/migration/{verb}", json={}), 403, "denied")


KEPT = {
    "at": "2026-01-31T12:00:00+00:00",
    "active": True,
    "lag_bytes": 7,
    "retained_bytes": 9,
    "limit_bytes": 20,
}


def test_how_rows_come_back_is_shown(premises: Premises, way: Terminal, http: httpx.Client) -> None:
    armed = {"receipts": {"reverse": {"armed": True}}}
    moved(premises, "acme", **armed)
    assert "nobody looked" in way("migration", "show", "acme").out
    moved(premises, "well", **armed, way_back={**KEPT, "level": "well", "why": ""})
    assert "9 of 20 bytes kept, 7 behind" in way("migration", "show", "well").out
    unknown = {**KEPT, "level": "unknown", "why": "it does not answer", "retained_bytes": None}
    moved(premises, "dark", **armed, way_back=unknown)
    assert "unknown at" in way("migration", "show", "dark").out
    assert http.get("/v1/tenants/dark/migration").json()["way_back"]["retained_bytes"] is None


def test_a_way_back_that_was_given_up_says_since_when(premises: Premises, way: Terminal) -> None:
    gone = {"level": "over", "why": "too much", "gone_since": KEPT["at"], "slot_dropped": False}
    until = "2026-01-31T11:58:00+00:00"
    moved(premises, "acme", way_back={**KEPT, **gone, "arrived_until": until})
    out = way("migration", "show", "acme").out
    assert "rows came back until" in out and "its slot is not dropped yet" in out
    refused = way("migration", "rollback", "acme", *QUIET)
    assert (refused.code, until in refused.err, "--accept-loss" in refused.err) == (3, True, True)
