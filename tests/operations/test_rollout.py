"""A tenant goes on with the template that it was made from, until it is moved like any other change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.catalog import Catalog
from controlplane.domain.errors import Broken, Conflict, Invalid, Missing
from controlplane.domain.operation import Kind
from controlplane.operations import Reconcile, Rollout
from controlplane.services import operations as asking
from controlplane.services import tenants, waves
from controlplane.services.asking import Way
from controlplane.services.control import Ask
from controlplane.services.templates import outdated, rolling
from controlplane.services.templates.rolling import NewRollout
from controlplane.services.workspaces import rendered
from controlplane.steps import subject
from controlplane.steps.world import install, world
from controlplane.store import templates
from controlplane.worker.loop import Worker
from tests.operations.house import ADMIN, ASK, BLUEPRINT, OTHER, House
from tests.operations.ordinary import change, create, destroy, done, shown, tenant

Run = Callable[[], None]
NEWER = "1.1.0"


def released(catalog: Catalog, version: str = NEWER, output: str = "more") -> Catalog:
    """The catalog as a later release ships it: one output more."""
    was = catalog.blueprint(BLUEPRINT)
    given = (*was.tenant.outputs, (output, was.tenant.outputs[0][1]))
    wiring = replace(was.tenant, outputs=given)
    now = replace(was, template_version=version, tenant=wiring)
    return replace(catalog, blueprints={**catalog.blueprints, BLUEPRINT: now})


@pytest.fixture
def upgraded(house: House, run: Run) -> Iterator[Callable[..., House]]:
    """From now on the program is a later release; the same catalog's database, the same folders."""

    def upgrade(version: str = NEWER, output: str = "more") -> House:
        catalog = released(house.control.catalog, version, output)
        install(replace(world(), catalog=catalog))
        return replace(house, control=replace(house.control, catalog=catalog))

    yield upgrade


def outputs_of(house: House, slug: str = "acme") -> str:
    folder: Path = house.folder / "workspaces" / f"tenant-{tenant(house, slug)['uid']}"
    return (folder / "outputs.tf").read_text()


def made(house: House, run: Run, *slugs: str) -> None:
    for slug in slugs or ("acme",):
        create(house, slug)
    run()


def roll(house: House, **body: object) -> dict:
    return rolling.start(house.control, ADMIN, NewRollout(**body), ASK)  # type: ignore[arg-type]


def go(house: House, worker: Worker, looks: int = 8) -> None:
    for _ in range(looks):
        waves.advance(house.control)
        worker.run(until_idle=True)


def test_an_upgrade_of_the_program_moves_nobody(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    made(house, run)
    later = upgraded()
    operation = change(later, Kind.RECONCILE, Reconcile())
    run()
    done(later, operation, "no_changes")
    assert 'output "more"' not in outputs_of(later)
    assert tenant(later)["template_version"] == "1.0.0"
    files = {f["path"]: f["text"] for f in rendered.workspace(later.control, ADMIN, "acme")["files"]}
    assert 'output "more"' not in files["outputs.tf"]


def test_who_is_new_gets_the_newest(house: House, run: Run, upgraded: Callable[..., House]) -> None:
    later = upgraded()
    made(later, run)
    assert 'output "more"' in outputs_of(later)
    assert tenant(later)["template_version"] == NEWER
    destroyed = destroy(later)
    run()
    done(later, destroyed)
    last = replace(later, control=upgraded("1.2.0", "most").control)
    made(last, run)  # the slug comes back, under the same uid
    assert 'output "most"' in outputs_of(last)
    assert outdated.show(last.control, ADMIN)["items"] == []


def test_who_is_behind_is_listed_with_what_differs(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    made(house, run)
    assert outdated.show(house.control, ADMIN)["items"] == []
    found = outdated.show(upgraded().control, ADMIN)
    (one,) = found["items"]
    assert (one["tenant"], one["template_version"], one["newest"]) == ("acme", "1.0.0", NEWER)
    (differing,) = found["differences"]
    assert differing["files"] == [{"path": "outputs.tf", "what": "changed"}]
    assert '+output "more" {' in differing["diff"]


def test_a_template_that_changed_under_its_version_is_another_one(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    made(house, run)
    later = upgraded(version="1.0.0")
    (one,) = outdated.show(later.control, ADMIN)["items"]
    assert one["template_version"] == one["newest"]
    assert one["digest"] != one["newest_digest"]


def test_a_rollout_moves_all_who_are_behind(
    house: House, run: Run, worker: Worker, upgraded: Callable[..., House]
) -> None:
    made(house, run, "a-one", "b-two", "c-three")
    later = upgraded()
    wave = roll(later, size=2)["id"]
    waves.advance(later.control)
    seen = waves.show(later.control, ADMIN, wave)
    assert [item["status"] for item in seen["items"]] == ["pending", "waiting", "waiting"]
    go(later, worker)
    seen = waves.show(later.control, ADMIN, wave)
    assert (seen["status"], seen["kind"]) == ("done", "rollout")
    for slug in ("a-one", "b-two", "c-three"):
        assert 'output "more"' in outputs_of(later, slug)
        assert tenant(later, slug)["template_version"] == NEWER
    assert outdated.show(later.control, ADMIN)["items"] == []


def test_a_rollout_keeps_its_target_when_a_release_comes_meanwhile(
    house: House, run: Run, worker: Worker, upgraded: Callable[..., House]
) -> None:
    made(house, run, "a-one", "b-two")
    later = upgraded()
    wave = roll(later)["id"]
    latest = upgraded("1.2.0", "most")
    go(latest, worker)
    assert waves.show(latest.control, ADMIN, wave)["status"] == "done"
    assert {tenant(latest, slug)["template_version"] for slug in ("a-one", "b-two")} == {NEWER}
    assert 'output "more"' in outputs_of(latest, "b-two")


def test_a_rollout_goes_back_to_a_version_that_is_kept(
    house: House, run: Run, worker: Worker, upgraded: Callable[..., House]
) -> None:
    made(house, run)
    later = upgraded()
    roll(later)
    go(later, worker)
    roll(later, to="1.0.0")
    go(later, worker)
    assert tenant(later)["template_version"] == "1.0.0"
    assert 'output "more"' not in outputs_of(later)


def test_what_a_template_changes_in_production_waits_for_another_person(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    born = create(house, stage="production")
    run()
    done(house, born)
    later = upgraded()
    house.terraform.drift("multi_az", False)  # the plan is not empty
    careful = replace(later, control=replace(later.control, two_person=True))
    install(replace(world(), two_person=True))
    operation = change(careful, Kind.ROLLOUT, Rollout(), ask=Ask(auto_approve=True))
    run()
    assert shown(careful, operation)["status"] == "awaiting_approval"
    assert tenant(careful)["template_version"] == "1.0.0"
    asking.approve(careful.control, OTHER, operation, Ask())
    run()
    done(careful, operation)
    assert tenant(careful)["template_version"] == NEWER


def test_a_rejected_move_leaves_the_tenant_where_it_was(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    born = create(house, stage="production")
    run()
    done(house, born)
    later = upgraded()
    house.terraform.drift("multi_az", False)
    operation = change(later, Kind.ROLLOUT, Rollout(), ask=Ask())
    run()
    assert shown(later, operation)["status"] == "awaiting_approval"
    asking.reject(later.control, OTHER, operation, Ask())
    again = change(later, Kind.RECONCILE, Reconcile())
    run()
    done(later, again)
    assert tenant(later)["template_version"] == "1.0.0"
    assert 'output "more"' not in outputs_of(later)


def test_a_dry_run_begins_nothing(house: House, run: Run, upgraded: Callable[..., House]) -> None:
    made(house, run)
    later = upgraded()
    answer = rolling.roll(later.control, ADMIN, NewRollout(), Way(ASK, dry_run=True)).body
    (item,) = answer["items"]
    assert item["rehearsal"]["dry_run"] is True
    assert item["rehearsal"]["kind"] == "rollout"
    assert waves.every(later.control, ADMIN)["items"] == []
    with later.db.read() as session:
        assert [row.version for row in templates.of_blueprint(session, BLUEPRINT)] == ["1.0.0"]


def test_what_cannot_be_moved_is_refused_with_the_reason(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    made(house, run)
    with pytest.raises(Conflict, match=f"another template than {BLUEPRINT} 1.0.0"):
        roll(house)
    with pytest.raises(Conflict, match="acme is made from"):
        tenants.change(house.control, ADMIN, Kind.ROLLOUT, "acme", Rollout(), ASK)
    with pytest.raises(Missing, match=r"no version 7.0.0 .* is kept; there are: 1.0.0"):
        roll(house, to="7.0.0")
    with pytest.raises(Invalid, match="no blueprint 'nope'"):
        roll(house, blueprint="nope")
    with pytest.raises(Conflict, match="move with their platform"):
        roll(house, blueprint="serverless_shared_db")


def test_a_kept_template_that_somebody_wrote_in_is_not_rendered(
    house: House, run: Run, upgraded: Callable[..., House]
) -> None:
    operation = create(house)
    run()
    later = upgraded()
    with house.db.write() as session:
        (row,) = templates.of_blueprint(session, BLUEPRINT)
        row.files = {**row.files, "outputs.tf": "# nothing"}
    with pytest.raises(Broken, match="is not what was kept"):
        rendered.workspace(later.control, ADMIN, "acme")
    assert subject.load(operation).route_slot().epoch == 1, "steps that render nothing go on"
