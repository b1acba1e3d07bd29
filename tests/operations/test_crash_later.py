"""The crash matrix of what happens to a tenant after its create: killed anywhere, each change converges.

The short form kills after every effect, before it is recorded: what runs twice shows there. The long form
kills before and behind each of them as well.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.migration.checklist import Item
from controlplane.domain.operation import Kind
from controlplane.operations import (
    Finalize,
    Reconcile,
    Request,
    Resize,
    Restore,
    Resume,
    Rollback,
    Rollout,
    Rotate,
    Suspend,
    Upgrade,
)
from controlplane.rendering import PROVENANCE_FILE, tenant_template, whole_template
from controlplane.store import templates, tenants
from tests.operations.crash_worker import PASSED, passed, work
from tests.operations.house import BLUEPRINT, House, build
from tests.operations.ordinary import application, change, create, destroy, done, shown, tenant
from tests.operations.upgrading import ACKNOWLEDGED, fenced, slots, upgrade

OLDER = "# as of an earlier release\n"
DECIDED = ("decide", "hand_over", "gate", "begin_apply", "begin_verifying")
PLANNED = ("begin_leg", "write_workspace", "plan", "record_plan", *DECIDED, "apply", "settle", "converge")
INTENDED = ("begin_leg", "record_intent", *DECIDED)
LEFT = ("settle_slots", "rewrite_workspace", "succeed")
ASKED = ("probe", "record_reach")
CONNECTED = ("set_up_roles", "point_route", "probe", "record_endpoint")
MOVED = (*[step for step in PLANNED if step != "converge"], "settle_slots")
SWITCHED = Upgrade(acknowledge=[*ACKNOWLEDGED, Item.STAYS_IN_NETWORK], strategy="rds_blue_green")
REMOVED = ("last_snapshot", "archive_last", "require_slot_gone", "forget_slot_secrets", "retire_slot")


@dataclass(frozen=True)
class Change:
    """One kind of change: what comes before it, and what must hold whatever happened on its way."""

    kind: Kind
    body: Request
    steps: tuple[str, ...]
    holds: Callable[[House], None]
    before: tuple[str, ...] = ()  # verbs that make the tenant what it has to be
    phase: str = "ready"
    databases: int = 1
    status: str = "succeeded"
    fails: str = ""  # the step that raises: nobody is ever behind its effect
    short: frozenset[str] = frozenset()  # the steps of the short form, where not all of them are


def resized(house: House) -> None:
    [database] = house.cloud.databases()
    assert (database.instance_class, database.storage_gb) == ("db.t4g.small", 40)
    assert len(house.cloud.snapshots()) == 1
    assert len(house.terraform.applied()) == len(set(house.terraform.applied())) == 2
    assert (tenant(house)["size"], tenant(house)["storage_gb"]) == ("small", 40)


def stopped(house: House) -> None:
    assert [one.status for one in house.cloud.databases()] == ["stopped"]


def answers(house: House) -> None:
    assert [one.status for one in house.cloud.databases()] == ["available"]
    assert house.database.probe(application(house)).reachable


def rotated(house: House) -> None:
    answers(house)
    assert application(house).username == "app_b"


def master_rotated(house: House) -> None:
    answers(house)
    again = change(house, Kind.ROTATE, Rotate.model_validate({"what": "control"}))
    assert work(house.folder) == 0  # logs in as the master
    done(house, again)


def moved(house: House) -> None:
    """Its workspace and its record say the same of what it is made from."""
    answers(house)
    version = house.control.catalog.blueprint(BLUEPRINT).template_version
    assert tenant(house)["template_version"] == version
    folder = house.folder / "workspaces" / f"tenant-{tenant(house)['uid']}"
    assert json.loads((folder / PROVENANCE_FILE).read_text())["template_version"] == version
    assert OLDER not in (folder / "outputs.tf").read_text()


def restored(house: House) -> None:
    answers(house)
    assert tenant(house)["epoch"] == 2
    tables = house.database.fingerprint(application(house))["tables"]
    assert tables["orders"]["count"] == 1


def kept(house: House) -> None:
    """The row is where the application reads, and the application gets in."""
    assert house.database.probe(application(house)).reachable
    assert house.database.fingerprint(application(house))["tables"]["orders"]["count"] == 1


def upgraded(house: House) -> None:
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["stage"], seen["migration_state"]) == (2, "production", "soaking")
    assert (fenced(house, 1), fenced(house, 2)) == (True, False)
    assert len(house.terraform.applied()) == len(set(house.terraform.applied())) == 2


def unwanted(house: House) -> None:
    """Its application failed its check: it went back by itself, and what is left is to be removed."""
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["stage"], seen["migration_state"]) == (1, "poc", "rolled_back")
    assert (fenced(house, 1), fenced(house, 2)) == (False, True)
    assert slots(house) == {1: "present", 2: "present"}


def gone_back(house: House) -> None:
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["stage"], seen["migration_state"]) == (1, "poc", "rolled_back")
    assert (fenced(house, 1), slots(house)) == (False, {1: "present", 2: "gone"})


def finalized(house: House) -> None:
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["stage"], seen["migration_state"]) == (2, "production", "complete")
    assert slots(house) == {1: "gone", 2: "present"}
    assert [one.database for one in house.cloud.snapshots()] == [f"acme-{seen['uid']}-e1"]


def switched(house: House) -> None:
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["stage"], seen["migration_state"]) == (1, "production", "soaking")
    assert (fenced(house, 1), slots(house)) == (False, {1: "present", 2: "beside"})
    [resource] = [
        one for name, one in house.terraform.resources(f"tenant-{seen['uid']}").items() if "db_inst" in name
    ]
    [serving] = [one for one in house.cloud.databases() if one.identifier.endswith("-e1")]
    assert resource["resource_id"] == serving.resource_id
    assert len(house.cloud.world.calls("switch_over")) <= 2, "asked again only where its answer was lost"


def left_alone(house: House) -> None:
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["migration_state"]) == (1, "complete")
    assert slots(house) == {1: "present", 2: "gone"}
    assert [one.database for one in house.cloud.snapshots()] == [f"acme-{seen['uid']}-e1-old1"]


def taken_again(house: House) -> None:
    kept(house)
    seen = tenant(house)
    assert (seen["epoch"], seen["stage"], seen["migration_state"]) == (2, "poc", "rolled_back")
    assert slots(house) == {1: "gone", 2: "present"}
    assert not fenced_old(house)


def fenced_old(house: House) -> bool:
    return not house.database.probe(application(house)).reachable


CHANGES = {
    "resize": Change(
        Kind.RESIZE,
        Resize.model_validate({"size": "small", "storage_gb": 40}),
        ("check_resize", "pre_snapshot", *PLANNED, *ASKED, *LEFT),
        resized,
    ),
    "suspend": Change(
        Kind.SUSPEND, Suspend(), (*INTENDED, "stop_database", "succeed"), stopped, phase="suspended"
    ),
    "resume": Change(
        Kind.RESUME,
        Resume(),
        (*INTENDED, "start_database", "converge", *ASKED, "succeed"),
        answers,
        before=("suspend",),
    ),
    "rotate": Change(
        Kind.ROTATE,
        Rotate(),
        ("check_logins", *INTENDED, "renew_idle_login", "point_route", "retire_login", *ASKED, "succeed"),
        rotated,
    ),
    "rotate-control": Change(
        Kind.ROTATE,
        Rotate.model_validate({"what": "control"}),
        ("check_logins", *INTENDED, "renew_control", "succeed"),
        answers,
    ),
    "rotate-master": Change(
        Kind.ROTATE,
        Rotate.model_validate({"what": "master"}),
        ("ensure_master_secret", "write_master", *PLANNED, "try_master", *CONNECTED, *LEFT),
        master_rotated,
    ),
    "reconcile": Change(
        Kind.RECONCILE,
        Reconcile(),
        ("take_into_state", "ensure_master_secret", *PLANNED, *CONNECTED, *LEFT),
        answers,
        before=("drift",),
    ),
    "rollout": Change(
        Kind.ROLLOUT,
        Rollout(),
        ("take_into_state", "ensure_master_secret", *PLANNED, *CONNECTED, *LEFT),
        moved,
        before=("age", "drift"),
        short=frozenset(
            {"write_workspace", "record_plan", "begin_apply", "apply", "rewrite_workspace", "succeed"}
        ),
    ),
    "restore": Change(
        Kind.RESTORE,
        Restore(),
        ("check_snapshot", "ensure_master_secret", *PLANNED, *CONNECTED, "redeploy", "open_logins", *LEFT),
        restored,
        before=("destroy",),
    ),
    "upgrade": Change(
        Kind.UPGRADE,
        Upgrade(acknowledge=ACKNOWLEDGED),
        (
            *("open_migration", "preflight", "ensure_master_secret", *MOVED),
            *("approve_migration", "raise_fence", "drain", "seed", "await_target", "target_logins"),
            *(
                "verify",
                "arm_reverse",
                "flip",
                "point_route",
                "smoke_database",
                "open_target",
                "redeploy",
                "probe",
                "record_endpoint",
                "smoke_application",
                "soak",
            ),
            *("rewrite_workspace", "succeed"),
        ),
        upgraded,
        databases=2,
        short=frozenset({"open_migration", "raise_fence", "drain", "seed", "apply", "flip", "open_target"}),
    ),
    "upgrade-replicated": Change(
        Kind.UPGRADE,
        Upgrade(acknowledge=ACKNOWLEDGED, strategy="logical_replication"),
        (
            *("open_migration", "preflight", "ensure_master_secret", *MOVED, "approve_migration"),
            *("await_target", "empty_target", "follow", "catch_up", "verify_before", "raise_fence"),
            *("drain", "await_rest", "verify", "turn_round", "flip", "point_route", "smoke_database"),
            *("open_target", "redeploy", "probe", "record_endpoint", "smoke_application", "soak"),
            *("rewrite_workspace", "succeed"),
        ),
        upgraded,
        databases=2,
        short=frozenset({"empty_target", "follow", "raise_fence", "await_rest", "turn_round", "flip"}),
    ),
    "upgrade-unwanted": Change(
        Kind.UPGRADE,
        Upgrade(acknowledge=ACKNOWLEDGED),
        (
            *("open_migration", "preflight", "ensure_master_secret", *MOVED),
            *("approve_migration", "raise_fence", "drain", "seed", "await_target", "target_logins"),
            *("verify", "arm_reverse", "flip", "point_route", "smoke_database", "open_target", "redeploy"),
            *("probe", "record_endpoint", "smoke_application", "was_applied", "smoke_verdict"),
            *("begin_return", "fence_target", "bring_back", "measure_loss", "reverse", "open_source"),
            *("serve_again", "end_reverse", "take_back", "end"),
        ),
        unwanted,
        before=("break",),
        databases=2,
        status="partially_applied",
        fails="smoke_application",
        short=frozenset({"smoke_application", "smoke_verdict", "fence_target", "reverse", "take_back"}),
    ),
    "upgrade-switched": Change(
        Kind.UPGRADE,
        SWITCHED,
        (
            *("open_migration", "preflight", "check_green", "take_into_state", *MOVED, "approve_migration"),
            *("is_switching", "make_green", "follow_green", "raise_fence", "drain", "compare_green"),
            *(
                "switch_over",
                "try_green",
                "point_route",
                "smoke_database",
                "open_target",
                "redeploy",
                "probe",
            ),
            *("record_endpoint", "smoke_application", "await_target", "soak", "rewrite_workspace", "succeed"),
        ),
        switched,
        databases=2,
        short=frozenset({"make_green", "compare_green", "switch_over", "take_into_state", "apply"}),
    ),
    "finalize-switched": Change(
        Kind.FINALIZE,
        Finalize(override=True),
        (
            *INTENDED,
            "begin_finalizing",
            "last_snapshot",
            "archive_last",
            "remove_old_side",
            *REMOVED[2:],
            "succeed",
        ),
        left_alone,
        before=("switch",),
        short=frozenset({"remove_old_side"}),
    ),
    "rollback-switched": Change(
        Kind.ROLLBACK,
        Rollback(accept_loss=True),
        (
            *("take_into_state", "ensure_master_secret", "free_old_side", "await_target", "old_side_logins"),
            *("record_intent", "begin_return", "fence_target", "bring_back", "measure_loss", "reverse"),
            *("point_route", "open_source", "redeploy", "probe", "record_endpoint", "serve_again"),
            *("end_reverse", *MOVED, *REMOVED, "rewrite_workspace", "succeed"),
        ),
        taken_again,
        before=("switch",),
        short=frozenset({"free_old_side", "old_side_logins", "reverse"}),
    ),
    "rollback": Change(
        Kind.ROLLBACK,
        Rollback(accept_loss=True),
        (
            *(
                "record_intent",
                "begin_return",
                "fence_target",
                "bring_back",
                "measure_loss",
                "reverse",
                "point_route",
            ),
            *(
                "open_source",
                "redeploy",
                "probe",
                "record_endpoint",
                "serve_again",
                "end_reverse",
                *MOVED,
                *REMOVED,
            ),
            *("rewrite_workspace", "succeed"),
        ),
        gone_back,
        before=("upgrade",),
        short=frozenset({"begin_return", "fence_target", "reverse", "open_source", "apply", "retire_slot"}),
    ),
    "finalize": Change(
        Kind.FINALIZE,
        Finalize(override=True),
        ("begin_finalizing", "end_reverse", *MOVED, *REMOVED, "rewrite_workspace", "succeed"),
        finalized,
        before=("upgrade",),
        short=frozenset({"begin_finalizing", "last_snapshot", "apply", "forget_slot_secrets", "retire_slot"}),
    ),
}
MIDDLES = frozenset({"plan", "apply", "switch_over"})


def cells() -> list[Any]:
    found = []
    for name, of in CHANGES.items():
        for step in of.steps:
            short = () if step in (of.short or of.steps) else pytest.mark.long
            wheres = {"before": pytest.mark.long, "recorded": pytest.mark.long}
            wheres |= {"before" if step == of.fails else "after": short}
            wheres |= {"middle": short} if step in MIDDLES else {}
            found += [pytest.param(name, f"{step}:{where}:1", marks=mark) for where, mark in wheres.items()]
    return found


Asked = dict[str, tuple[Path, str]]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tenant with a row."""
    folder = tmp_path_factory.mktemp("ready") / "house"
    house = build(folder)
    create(house)
    assert work(folder) == 0
    house.database.write(application(house), "orders", "one")
    house.db.close()
    return folder


@pytest.fixture(scope="module")
def asked(ready: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, str]]:
    """By name: a folder to copy in which the change was asked for, and its operation."""
    made: Asked = {}

    def ask(name: str) -> tuple[Path, str]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name) / "house"
            shutil.copytree(ready, folder)
            house = build(folder)
            for verb in CHANGES[name].before:
                _arrange(house, verb)
            operation = change(house, CHANGES[name].kind, CHANGES[name].body)
            house.db.close()
            (folder / PASSED).unlink()
            made[name] = (folder, operation)
        return made[name]

    return ask


def _age(house: House) -> None:
    """The tenant was made from the template of an earlier release."""
    now = tenant_template(BLUEPRINT, house.control.catalog)
    files = {**now.files, "outputs.tf": now.files["outputs.tf"] + OLDER}
    older = whole_template(BLUEPRINT, "0.9.0", now.modules, files)
    pin = {"template_version": older.version, "template_digest": older.digest}
    with house.db.write() as session:
        at = house.control.now()
        templates.keep(session, older, at)
        tenants.change(session, tenant(house)["uid"], pin, actor="test", now=at)


def _arrange(house: House, verb: str) -> None:
    if verb == "age":
        _age(house)
        return
    if verb == "drift":
        house.terraform.drift("multi_az", True)
        return
    if verb == "break":
        house.web.answer(503)
        return
    if verb == "destroy":
        destroy(house)
    elif verb == "upgrade":
        upgrade(house)
    elif verb == "switch":
        change(house, Kind.UPGRADE, SWITCHED)
    else:
        change(house, Kind.SUSPEND, Suspend())
    assert work(house.folder) == 0


@pytest.mark.parametrize(("name", "point"), cells())
def test_a_change_survives_a_kill(
    asked: Callable[[str], tuple[Path, str]], tmp_path: Path, name: str, point: str
) -> None:
    made, operation = asked(name)
    folder = tmp_path / "house"
    shutil.copytree(made, folder)
    assert work(folder, point) == -signal.SIGKILL, f"nobody passed {point}"
    assert work(folder) == 0
    house = build(folder)
    seen = shown(house, operation)
    assert seen["status"] == CHANGES[name].status, (seen["metadata"], seen.get("error"))
    assert tenant(house)["phase"] == CHANGES[name].phase
    assert len(house.cloud.databases()) == CHANGES[name].databases
    CHANGES[name].holds(house)
    house.db.close()


@pytest.mark.parametrize("name", CHANGES)
def test_every_step_is_in_the_matrix(
    asked: Callable[[str], tuple[Path, str]], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "house"
    shutil.copytree(asked(name)[0], folder)
    assert work(folder) == 0
    assert {point.split(":")[0] for point in passed(folder)} == set(CHANGES[name].steps)
