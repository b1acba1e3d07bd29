"""A dry run says what would come: the plan, its cost and what policy says of it. Nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from controlplane.domain.cost.gate import Level
from controlplane.domain.errors import Refused, Unavailable
from controlplane.domain.names import OperationId, RunId
from controlplane.domain.operation import Kind
from controlplane.domain.policy.decision import Policy
from controlplane.operations import Adopt, Create, Destroy, Request, Resize, Restore, Suspend, Upgrade
from controlplane.ports import PlanFound, PlanWanted, RunOrder, RunStatus, RunVerb
from controlplane.services import access, audit, fleet, tenants
from controlplane.services.actor import Role
from controlplane.services.asking import Way, do
from controlplane.services.bodies import NewToken
from controlplane.services.control import Ask, Control
from controlplane.settings import Settings
from controlplane.steps import world
from controlplane.terminal.client import Manner
from controlplane.terminal.local import LocalClient
from controlplane.terminal.remote import RemoteClient
from tests.doors.premises import Server
from tests.operations.house import ADMIN, House
from tests.operations.ordinary import change, create, destroy, done, tenant
from tests.operations.terraform_double import TerraformDouble
from tests.operations.upgrading import ACKNOWLEDGED

Run = Callable[[], None]
SHOWN = ("kind", "policy", "cost_before", "cost_after", "rehearsal", "dry_run")
DRY = Way(Ask(reason="a test"), dry_run=True)


@dataclass
class Looks:
    """`PlanSource` by the Terraform of these tests, in folders that nobody else sees."""

    terraform: TerraformDouble
    folder: Path
    problem: str = ""
    asked: list[PlanWanted] = field(default_factory=list)

    def plans(self, wanted: Iterable[PlanWanted]) -> Iterator[PlanFound]:
        for one in wanted:
            self.asked.append(one)
            yield PlanFound(one.workspace, problem=self.problem) if self.problem else self._found(one)

    def _found(self, wanted: PlanWanted) -> PlanFound:
        run, place = RunId(f"look-{len(self.asked)}"), self.folder / wanted.workspace
        for name, text in wanted.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text)
        order = RunOrder(
            run_id=run,
            workspace=wanted.workspace,
            operation=OperationId("look"),
            verb=RunVerb.PLAN,
            folder=str(place),
            destroy=wanted.destroy,
        )
        while self.terraform.start(order).status is RunStatus.RUNNING:
            pass
        return PlanFound(wanted.workspace, self.terraform.plan_json(run))


@pytest.fixture
def looks(house: House, tmp_path: Path) -> Looks:
    made = Looks(house.terraform, tmp_path / "looks")
    house.control = replace(house.control, rehearsing=lambda: (world.world(), made))
    return made


def rehearse(house: House, kind: Kind, body: Request, slug: str = "acme") -> dict[str, Any]:
    return dict(do(house.control, ADMIN, DRY, lambda c, ask: _ask(c, kind, slug, body, ask)).body)


def _ask(control: Any, kind: Kind, slug: str, body: Any, ask: Ask) -> dict[str, Any]:
    if kind is Kind.CREATE:
        return tenants.create(control, ADMIN, body, ask)
    return tenants.change(control, ADMIN, kind, slug, body, ask)


def addresses(view: dict[str, Any], action: str) -> list[str]:
    return [c["address"] for c in view["plan"]["changes"] if c["action"] == action]


def everything(house: House) -> Any:
    """What a change would leave in the catalog, in AWS and on the disk."""
    asked = fleet.queue(house.control, ADMIN, fleet.Queue())["items"]
    listed = fleet.page(house.control, ADMIN, fleet.Listing())["items"]
    folders = sorted(str(p) for p in (house.folder / "workspaces").rglob("*"))
    made = [c for c in house.cloud.world.calls() if c.split()[0] not in ("database", "databases", "snapshot")]
    told = audit.page(house.control, ADMIN, audit.Search())["items"]
    return asked, listed, folders, made, told


def test_a_new_tenant_is_planned_and_priced_and_is_not_there(house: House, looks: Looks) -> None:
    before = everything(house)
    seen = rehearse(house, Kind.CREATE, Create(slug="acme"))
    assert seen["dry_run"] and seen["rehearsal"] == {
        "planned": True,
        "would": "be applied",
        "why": "",
        "note": "",
    }
    assert 'module.database["e1"].aws_db_instance.this' in addresses(seen, "create")
    assert (seen["cost_before"], float(seen["cost_after"]) > 0) == ("0.00", True)
    assert seen["metadata"]["next_command"] == ""
    assert everything(house) == before


def test_the_plan_that_was_rehearsed_is_the_one_that_follows(house: House, looks: Looks, run: Run) -> None:
    create(house)
    run()
    rehearsed = rehearse(house, Kind.RESIZE, Resize(size="small"))
    operation = change(house, Kind.RESIZE, Resize(size="small"))
    run()
    seen = done(house, operation)
    for part in ("meaning", "changes", "forecast", "counts"):
        assert rehearsed["plan"][part] == seen["plan"][part]
    same = ("cost_before", "cost_after", "policy")
    assert [rehearsed[part] for part in same] == [seen[part] for part in same]


class AtHome(LocalClient):
    """The command line's own way, where Terraform is a double."""

    def __init__(self, control: Control) -> None:
        super().__init__(Settings())
        self.__dict__["_control"] = control


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.RESIZE, {"size": "small"}),
        (Kind.UPGRADE, {"acknowledge": list(ACKNOWLEDGED)}),
        (Kind.SUSPEND, {}),
        (Kind.DESTROY, {"confirm": "acme"}),
    ],
)
def test_both_ways_in_show_the_same_plan_before_anybody_asked(
    house: House, looks: Looks, run: Run, kind: Kind, body: dict[str, Any]
) -> None:
    create(house)
    run()
    server = Server(create_app(house.control))
    token = access.create_token(house.control, ADMIN, NewToken(name="ci", role=Role.ADMIN), Ask())["secret"]
    manner, remote = Manner(reason="a test", dry_run=True), RemoteClient(server.url, str(token), 0.1)
    try:
        seen = [way.change(kind.value, "acme", body, manner) for way in (AtHome(house.control), remote)]
    finally:
        remote.close()
        server.stop()
    here, there = (_without_names(one) for one in seen)
    assert here == there
    assert here["rehearsal"]["planned"]


def _without_names(view: dict[str, Any]) -> dict[str, Any]:
    """But for what every asking has of its own."""
    plan = {name: value for name, value in view["plan"].items() if name not in ("id", "created_at")}
    return {**{name: view[name] for name in SHOWN}, "plan": plan}


def test_a_destroy_shows_what_would_be_gone(house: House, looks: Looks, run: Run) -> None:
    create(house)
    run()
    before = everything(house)
    seen = rehearse(house, Kind.DESTROY, Destroy(confirm="acme"))
    assert 'module.database["e1"].aws_db_instance.this' in addresses(seen, "delete")
    assert seen["rehearsal"]["would"] == "wait for an approval"
    assert seen["rehearsal"]["note"] == "the plan of step 2 of 2"
    assert everything(house) == before


def test_what_terraform_has_no_part_in_is_judged_all_the_same(house: House, looks: Looks, run: Run) -> None:
    create(house)
    run()
    before = everything(house)
    seen = rehearse(house, Kind.SUSPEND, Suspend())
    assert seen["rehearsal"]["planned"]
    assert seen["plan"]["forecast"]["outage"] == "from its stop until it is resumed"
    assert float(seen["cost_after"]) < float(seen["cost_before"])
    assert (looks.asked, everything(house)) == ([], before)


def test_an_upgrade_shows_the_database_that_would_be_made(house: House, looks: Looks, run: Run) -> None:
    create(house)
    run()
    before = everything(house)
    seen = rehearse(house, Kind.UPGRADE, Upgrade(acknowledge=ACKNOWLEDGED))
    assert 'module.database["e2"].aws_db_instance.this' in addresses(seen, "create")
    assert seen["rehearsal"]["would"] == "wait for an approval"
    assert everything(house) == before


def test_what_was_destroyed_is_planned_to_come_back(house: House, looks: Looks, run: Run) -> None:
    create(house)
    run()
    operation = destroy(house)
    run()
    done(house, operation)
    seen = rehearse(house, Kind.RESTORE, Restore())
    assert 'module.database["e2"].aws_db_instance.this' in addresses(seen, "create")


def test_what_policy_forbids_is_told_before_anybody_asks(house: House, looks: Looks) -> None:
    forbidding = Policy({"approval.production": Level.FORBID})
    stage = replace(world.world(), policy=forbidding)
    house.control = replace(house.control, rehearsing=lambda: (stage, looks))
    seen = rehearse(house, Kind.CREATE, Create(slug="acme", stage="production"))
    assert seen["rehearsal"]["would"] == "be rejected"
    assert "approval.production" in seen["rehearsal"]["why"]


def test_what_could_never_be_applied_is_refused_at_once(house: House, looks: Looks, run: Run) -> None:
    create(house)
    run()
    uid = tenant(house)["uid"]
    (house.folder / "workspaces" / f"tenant-{uid}" / "main.tf").write_text("# mine\n")
    with pytest.raises(Refused, match="edited by hand"):
        rehearse(house, Kind.RESIZE, Resize(size="small"))


def stopped() -> Any:
    raise Unavailable("the sandbox does not run")


def test_where_no_plan_can_be_made_it_says_so_and_promises_nothing(house: House, looks: Looks) -> None:
    looks.problem = "terraform exited 1: no such thing"
    for rehearsing, said in (
        (None, "runs no Terraform"),
        (stopped, "the sandbox does not run"),
        (house.control.rehearsing, "no such thing"),
    ):
        house.control = replace(house.control, rehearsing=rehearsing)
        seen = rehearse(house, Kind.CREATE, Create(slug="acme"))
        assert (seen["plan"], seen["rehearsal"]["planned"]) == (None, False)
        assert said in seen["rehearsal"]["note"]


def test_an_adoption_finds_out_later_what_it_imports(house: House, looks: Looks) -> None:
    house.cloud.add_database("theirs")
    seen = rehearse(house, Kind.ADOPT, Adopt(identifier="theirs"), slug="acme")
    assert (seen["plan"], seen["rehearsal"]["planned"]) == (None, False)
