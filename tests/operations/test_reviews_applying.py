"""While a review is applied people push, rebase and move the base, with real Git; and applying first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controlplane.domain.operation import Kind
from controlplane.durable import on_reach
from controlplane.operations import Resize
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.reviews.keeper import Keeper
from controlplane.worker.loop import Worker
from tests.operations.desk import FILE, Desk, furnish
from tests.operations.house import ADMIN, ASK, House

MAIN = "tenants/acme/main.tf"


@pytest.fixture
def first(house: House, worker: Worker, tmp_path: Path) -> Desk:
    """A desk where reviews are applied before they are merged."""
    desk = furnish(house, tmp_path / "home", worker)
    desk.control = replace(desk.control, apply_before_merge=True)
    worker.hooks = (Keeper(desk.control, look_seconds=0),)
    return desk


class Meanwhile:
    """Does something once, when Terraform is in the middle of the next apply."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._acts, self.answers = [act], list[Any]()
        on_reach(self._listen)

    def _listen(self, point: str, where: str) -> None:
        if (point, where) == ("apply", "middle") and self._acts:
            self.answers.append(self._acts.pop()())


def resized(desk: Desk) -> dict[str, Any]:
    """A review of a tenant that is ready, which is open."""
    made = tenants.change(desk.control, ADMIN, Kind.RESIZE, "acme", Resize(size="small"), ASK)
    desk.run()
    return desk.shown(made["review"])


def rebased(desk: Desk, branch: str, text: str, path: str = FILE) -> str:
    """A person puts the branch on top of what the base holds now, changes it, and pushes with force."""
    desk.person.branch("mine", f"origin/{branch}")
    desk.person.git("rebase", "--quiet", "-X", "theirs", "origin/main")
    desk.person.write(path, text)
    return desk.person.push(branch, "--force")


def moved(desk: Desk, path: str, text: str) -> str:
    desk.person.branch("direct")
    desk.person.write(path, text)
    return desk.person.push("main")


# --- applied after the merge ------------------------------------------------------------------------


def test_a_rebase_during_the_apply_changes_nothing_of_it_and_loses_nothing(
    desk: Desk,
) -> None:
    desk.ready()
    review = resized(desk)
    larger = "slug: acme\nsize: large\n"
    meanwhile = Meanwhile(lambda: rebased(desk, review["branch"], larger))
    assert desk.merge(review["id"])["status"] == "applied"
    assert desk.size() == "small"
    assert "size: small" in (desk.on_main() or "")
    (pushed,) = meanwhile.answers
    assert desk.forge.branches() == {review["branch"]: pushed}
    assert desk.forge.read(pushed, FILE) == larger


def test_a_base_that_moves_during_the_apply_ends_with_what_is_recorded(desk: Desk) -> None:
    desk.ready()
    review = resized(desk)
    Meanwhile(lambda: moved(desk, MAIN, "# by hand\n"))
    seen = desk.merge(review["id"])
    assert (seen["status"], desk.size()) == ("applied", "small")
    assert "# by hand" not in (desk.on_main(MAIN) or "")
    assert desk.forge.branches() == {}


def test_another_tenant_s_merge_during_the_apply_stands_beside_it(desk: Desk) -> None:
    desk.ready()
    review = resized(desk)
    other = "tenants/beta/tenant.yaml"
    Meanwhile(lambda: moved(desk, other, "slug: beta\n"))
    assert desk.merge(review["id"])["status"] == "applied"
    assert desk.on_main(other) == "slug: beta\n"
    assert "size: small" in (desk.on_main() or "")


# --- applied before the merge -----------------------------------------------------------------------


def test_applied_first_it_is_merged_once_that_went_well(first: Desk) -> None:
    review = first.create()
    meanwhile = Meanwhile(lambda: (first.on_main(), first.shown(review)["status"]))
    seen = first.merge(review)
    assert meanwhile.answers == [(None, "merging")]
    assert (seen["status"], seen["problem"]) == ("applied", "")
    assert seen["merged_commit"]
    assert "slug: acme" in (first.on_main() or "")
    assert len(first.house.cloud.databases()) == 1
    assert first.forge.branches() == {}


def test_applied_first_and_failed_it_is_never_merged(first: Desk) -> None:
    review = first.create()
    first.house.terraform.fail_next_apply("InvalidParameterValue: no such class")
    seen = first.merge(review)
    assert (seen["status"], seen["merged_commit"]) == ("closed", "")
    assert "nothing of the plan is there" in seen["problem"]
    assert first.house.cloud.databases() == []


def test_what_could_not_be_merged_is_not_applied_first(first: Desk) -> None:
    first.ready()
    review = resized(first)
    moved(first, MAIN, "# by hand\n")
    seen = first.merge(review["id"])
    assert (seen["status"], "changed on main" in seen["problem"]) == ("open", True)
    assert first.size() == "micro"
    first.open(review["branch"])
    assert first.merge(review["id"])["status"] == "applied"
    assert first.size() == "small"


def test_a_rebase_while_it_is_applied_first_is_not_merged(first: Desk) -> None:
    first.ready()
    review = resized(first)
    meanwhile = Meanwhile(lambda: rebased(first, review["branch"], "slug: acme\nsize: large\n"))
    seen = first.merge(review["id"])
    assert (seen["status"], seen["merged_commit"], first.size()) == ("applied", "", "small")
    assert "size: small" in (first.on_main() or "")
    assert first.forge.branches() == {review["branch"]: meanwhile.answers[0]}


def test_approved_once_it_is_applied_once_however_often_it_is_looked_at(first: Desk) -> None:
    review = first.create()
    first.merge(review)
    operation = asking.show(first.control, ADMIN, first.shown(review)["operation"])
    approvals = [e for e in asking.events(first.control, ADMIN, operation["id"]) if e["type"] == "approval"]
    assert len(approvals) == 1
    assert len(first.house.terraform.applied()) == len(set(first.house.terraform.applied()))
