"""A rollout where changes go through reviews: a machine's, one open for a tenant, with the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.services import waves
from controlplane.services.reviews import asking as reviews
from controlplane.services.reviews.keeper import Keeper
from controlplane.services.templates import outdated, rolling
from controlplane.services.templates.rolling import NewRollout
from controlplane.steps.world import install, world
from controlplane.worker.loop import Worker
from tests.operations.desk import Desk, furnish
from tests.operations.house import ADMIN, ASK, House
from tests.operations.ordinary import tenant
from tests.operations.test_rollout import released

Upgrade = Callable[[str, str], None]


@pytest.fixture
def desk(house: House, worker: Worker, tmp_path: Path) -> Desk:
    return furnish(house, tmp_path / "home", worker)


@pytest.fixture
def upgrade(desk: Desk, worker: Worker) -> Upgrade:
    """From now on the program is a later release."""

    def to(version: str, output: str) -> None:
        catalog = released(desk.house.control.catalog, version, output)
        install(replace(world(), catalog=catalog))
        desk.house.terraform.drift("multi_az", True)  # so that the plan has something to change
        desk.control = replace(desk.control, catalog=catalog)
        worker.hooks = (Keeper(desk.control, look_seconds=0),)

    return to


def roll(desk: Desk) -> dict[str, str]:
    """The review of each tenant whom the rollout came to, by slug; those that are open."""
    rolling.start(desk.control, ADMIN, NewRollout(size=5, canary=0), ASK)
    waves.advance(desk.control)
    desk.run()
    return opened(desk)


def opened(desk: Desk) -> dict[str, str]:
    found = reviews.page(desk.control, ADMIN)["items"]
    return {one["subject"]: one["id"] for one in found if one["status"] == "open"}


def test_a_rollout_is_a_review_for_each_with_its_grounds_and_the_way_back(
    desk: Desk, upgrade: Upgrade
) -> None:
    desk.ready()
    was = tenant(desk.house)["template_version"]
    upgrade("1.1.0", "more")
    made = roll(desk)
    seen = desk.shown(made["acme"])
    assert (seen["kind"], seen["machine"]) == ("rollout", "rollout")
    assert seen["evidence"]["template"] == f"from {was}"
    assert "1.1.0" in seen["evidence"]["to"]
    assert seen["revert"].startswith("controlplane tenant rollout acme --to ")
    assert 'output "more"' not in (desk.on_main("tenants/acme/outputs.tf") or "")
    assert desk.merge(made["acme"])["status"] == "applied"
    assert tenant(desk.house)["template_version"] == "1.1.0"
    assert 'output "more"' in (desk.on_main("tenants/acme/outputs.tf") or "")
    assert outdated.show(desk.control, ADMIN)["items"] == []


def test_the_same_rollout_again_makes_no_second_review(desk: Desk, upgrade: Upgrade) -> None:
    desk.ready()
    upgrade("1.1.0", "more")
    first = roll(desk)
    assert roll(desk) == first
    (running,) = {wave["status"] for wave in waves.every(desk.control, ADMIN)["items"]}
    assert running == "running"
    desk.merge(first["acme"])
    waves.advance(desk.control)
    waves.advance(desk.control)
    assert {wave["status"] for wave in waves.every(desk.control, ADMIN)["items"]} == {"done"}


def test_a_later_release_takes_the_place_of_what_waits(desk: Desk, upgrade: Upgrade) -> None:
    desk.ready()
    upgrade("1.1.0", "more")
    first = roll(desk)
    upgrade("1.2.0", "most")
    second = roll(desk)
    assert desk.shown(first["acme"])["status"] == "closed"
    assert second.keys() == {"acme"}
    assert desk.merge(second["acme"])["status"] == "applied"
    assert tenant(desk.house)["template_version"] == "1.2.0"
    assert desk.forge.branches() == {}
