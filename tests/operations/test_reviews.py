"""Changes through reviews, with real git and the durable engine: from a verb or a branch to an apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.adapters.git import Repository
from controlplane.domain.errors import Conflict, Invalid, Refused, Unavailable
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Destroy, Resize
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask
from controlplane.services.reviews import asking as reviews
from controlplane.services.reviews import opening
from controlplane.services.reviews.keeper import Keeper
from tests.operations.desk import FILE, Desk
from tests.operations.house import ADMIN, ASK, OTHER, House


def test_a_verb_opens_a_review_and_its_merge_is_the_approval(desk: Desk) -> None:
    review = desk.create()
    seen = desk.shown(review)
    assert (seen["status"], seen["kind"], seen["problem"]) == ("open", "create", "")
    assert FILE in seen["files"]
    assert seen["next_command"] == f"controlplane review merge {review}"
    assert {check["state"] for check in seen["checks"]} == {"success"}
    assert "acme" in seen["text"][0]
    operation = asking.show(desk.control, ADMIN, seen["operation"])
    assert (operation["status"], operation["review"]) == ("awaiting_approval", review)
    assert desk.house.cloud.databases() == []
    merged = desk.merge(review)
    assert merged["status"] == "applied", merged["problem"]
    assert "slug: acme" in (desk.on_main() or "")
    assert "| acme |" in (desk.on_main("README.md") or "")
    assert len(desk.house.cloud.databases()) == 1
    assert desk.forge.branches() == {}


def test_only_a_merge_approves(desk: Desk) -> None:
    review = desk.create()
    with pytest.raises(Conflict, match="merging its review"):
        asking.approve(desk.control, OTHER, desk.shown(review)["operation"], ASK)
    assert desk.house.cloud.databases() == []


def test_a_branch_makes_a_tenant_and_gives_it_another_size(desk: Desk) -> None:
    desk.pushed("new", "slug: acme\nusers: 4\n")
    created = desk.merge(desk.open("new"))
    assert (created["status"], created["source"]) == ("applied", "branch")
    text = (desk.on_main() or "").replace("size: micro", "size: small")
    desk.pushed("bigger", text)
    review = desk.open("bigger")
    assert desk.shown(review)["kind"] == "resize"
    assert desk.size() == "micro"
    assert desk.merge(review)["status"] == "applied"
    assert desk.size() == "small"
    assert "size: small" in (desk.on_main() or "")


def test_labels_of_a_branch_are_merged_without_a_plan(desk: Desk) -> None:
    desk.ready()
    desk.pushed("labels", (desk.on_main() or "") + 'labels:\n  team: "a"\n')
    review = desk.open("labels")
    assert (desk.shown(review)["kind"], desk.shown(review)["operation"]) == ("describe", None)
    assert desk.merge(review)["status"] == "applied"
    assert tenants.show(desk.control, ADMIN, "acme")["labels"] == {"team": "a"}
    assert "team" in (desk.on_main() or "")


def test_the_same_change_by_hand_is_a_hand_edit_and_is_discarded(desk: Desk) -> None:
    review = desk.create()
    branch = desk.shown(review)["branch"]
    desk.person.branch("mine", f"origin/{branch}")
    desk.person.write("tenants/acme/main.tf", "# mine\n")
    desk.person.push(branch)
    desk.run()
    assert "edited by hand: tenants/acme/main.tf" in desk.shown(review)["problem"]
    with pytest.raises(Conflict, match="edited by hand"):
        reviews.merge(desk.control, ADMIN, review, ASK)
    assert desk.open(branch) == review
    seen = desk.shown(review)
    assert (seen["status"], seen["discarded"]) == ("open", ["tenants/acme/main.tf"])
    assert "not taken" in seen["text"][0]
    assert desk.merge(review)["status"] == "applied"
    assert "# mine" not in (desk.on_main("tenants/acme/main.tf") or "")


def test_another_request_on_the_branch_takes_the_first_one_s_place(desk: Desk) -> None:
    desk.pushed("new", "slug: acme\nsize: micro\n")
    first = desk.open("new")
    desk.pushed("new", "slug: acme\nsize: small\n")
    second = desk.open("new")
    assert desk.shown(first)["status"] == "closed"
    assert asking.show(desk.control, ADMIN, desk.shown(first)["operation"])["status"] == "rejected"
    assert desk.merge(second)["status"] == "applied"
    assert desk.size() == "small"


def test_a_branch_asks_again_after_its_review_was_rejected(desk: Desk) -> None:
    desk.pushed("new", "slug: acme\nsize: micro\n")
    first = desk.shown(desk.open("new"))
    asking.reject(desk.control, OTHER, first["operation"], ASK)
    desk.run()
    desk.pushed("new", "slug: acme\nsize: small\n", start="origin/new")
    second = desk.open("new")
    assert desk.shown(second)["discarded"] == []
    desk.pushed("new", "slug: acme\nsize: medium\n")
    desk.run()
    assert "may be another one" in desk.shown(second)["problem"]
    assert desk.merge(desk.open("new"))["status"] == "applied"
    assert desk.size() == "medium"


def test_a_push_after_the_approval_stops_the_merge(desk: Desk) -> None:
    review = desk.create()
    branch = desk.shown(review)["branch"]
    reviews.merge(desk.control, ADMIN, review, ASK)
    desk.person.branch("mine", f"origin/{branch}")
    desk.person.write(FILE, "slug: acme\nsize: large\n")
    desk.person.push(branch)
    desk.run()
    seen = desk.shown(review)
    assert (seen["status"], seen["merged_commit"]) == ("open", "")
    assert "pushed to" in seen["problem"]
    assert desk.house.cloud.databases() == []


def test_a_base_that_moved_stops_the_merge_until_it_is_opened_again(desk: Desk) -> None:
    desk.ready()
    made = tenants.change(desk.control, ADMIN, Kind.RESIZE, "acme", Resize(size="small"), ASK)
    desk.run()
    review = made["review"]
    desk.person.branch("direct")
    desk.person.write("tenants/acme/main.tf", "# by hand on main\n")
    desk.person.push("main")
    stopped = desk.merge(review)
    assert (stopped["status"], "changed on main" in stopped["problem"]) == ("open", True)
    desk.open(stopped["branch"])
    assert desk.merge(review)["status"] == "applied"
    assert "by hand on main" not in (desk.on_main("tenants/acme/main.tf") or "")


def test_a_second_review_of_a_tenant_is_told_who_holds_it(desk: Desk) -> None:
    desk.ready()
    tenants.change(desk.control, ADMIN, Kind.RESIZE, "acme", Resize(size="small"), ASK)
    desk.run()
    desk.pushed("other", (desk.on_main() or "").replace("size: micro", "size: medium"))
    with pytest.raises(Conflict, match=r"held by local:ann's review rv-"):
        desk.open("other")


def test_a_rejected_operation_closes_its_review_and_frees_the_tenant(desk: Desk) -> None:
    desk.ready()
    made = tenants.change(desk.control, ADMIN, Kind.RESIZE, "acme", Resize(size="small"), ASK)
    desk.run()
    asking.reject(desk.control, OTHER, made["id"], Ask(reason="too dear"))
    desk.run()
    seen = desk.shown(made["review"])
    assert (seen["status"], "too dear" in seen["problem"]) == ("closed", True)
    assert desk.forge.branches() == {}
    tenants.change(desk.control, ADMIN, Kind.RESIZE, "acme", Resize(size="small"), ASK)


def test_a_deleted_branch_closes_its_review(desk: Desk) -> None:
    review = desk.create()
    desk.forge.drop([desk.shown(review)["branch"]])
    desk.run()
    assert (desk.shown(review)["status"], desk.shown(review)["problem"]) == (
        "closed",
        "its branch was deleted",
    )
    assert desk.merge(desk.create(size="small"))["status"] == "applied"


def test_a_destroy_takes_the_folder_away(desk: Desk) -> None:
    desk.ready()
    made = tenants.change(desk.control, ADMIN, Kind.DESTROY, "acme", Destroy(confirm="acme"), ASK)
    desk.run()
    assert desk.on_main() is not None
    assert desk.merge(made["review"])["status"] == "applied"
    assert desk.on_main() is None
    assert desk.house.cloud.databases() == []


def test_two_persons_are_wanted_for_production(desk: Desk) -> None:
    review = desk.create(stage="production", size="small")
    desk.control = replace(desk.control, two_person=True)
    with pytest.raises(Conflict, match="another person than local:ann"):
        reviews.merge(desk.control, ADMIN, review, ASK)
    reviews.approve(desk.control, ADMIN, review, ASK)
    with pytest.raises(Conflict, match="another person"):
        reviews.merge(desk.control, ADMIN, review, ASK)
    reviews.approve(desk.control, OTHER, review, ASK)
    assert desk.merge(review)["status"] == "applied"


def test_a_failed_apply_is_written_back(desk: Desk) -> None:
    review = desk.create()
    desk.house.terraform.fail_next_apply("InvalidParameterValue: no such class")
    seen = desk.merge(review)
    assert seen["status"] == "failed"
    assert "nothing of the plan is there" in seen["text"][0]


def test_merged_in_git_and_killed_before_the_approval_it_goes_on(desk: Desk) -> None:
    review = desk.create()
    before = desk.shown(review)
    reviews.merge(desk.control, ADMIN, review, ASK)

    class Dies(Repository):
        def merge(self, merge: Any) -> str:
            super().merge(merge)
            raise Unavailable("killed")

    dying = Dies(desk.house.folder / "reviews.git")
    Keeper(replace(desk.control, forge=lambda: dying))()
    assert desk.shown(review)["status"] == "merging"
    assert desk.on_main() is not None
    assert desk.house.cloud.databases() == []
    with desk.house.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE review SET problem = ''")
    desk.run()
    assert desk.shown(review)["status"] == "applied"
    assert len(desk.house.cloud.databases()) == 1
    assert before["operation"] == desk.shown(review)["operation"]


def test_a_forge_that_is_down_loses_nothing(desk: Desk) -> None:
    class Down(Repository):
        def propose(self, proposal: Any) -> Any:
            raise Unavailable("the forge does not answer")

    made = tenants.create(desk.control, ADMIN, Create(slug="acme"), ASK)
    worker_hooks = Keeper(replace(desk.control, forge=lambda: Down(desk.house.folder / "reviews.git")))
    plain = desk.house
    for _ in range(3):
        worker_hooks()
    desk.run()
    assert desk.shown(made["review"])["status"] == "open"
    assert plain.cloud.databases() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slug: acme\nsize: huge\n", rf"{FILE}:2: size"),
        ("slug: acme\ncolour: red\n", rf"{FILE}:2: colour"),
        ("slug: beta\n", rf"{FILE}:1: slug"),
        ("slug: acme\r\nsize: x: y\r\n", rf"{FILE}:2"),
        ("a: &a [x]\nb: *a\n", rf"{FILE}:1"),
        ("slug: acme\nstorage_gb: 1\n", rf"{FILE}:2: storage_gb"),
    ],
)
def test_a_bad_file_is_answered_with_its_line_and_asks_for_nothing(desk: Desk, text: str, words: str) -> None:
    desk.pushed("bad", text)
    with pytest.raises(Invalid, match=words):
        desk.open("bad")
    assert reviews.page(desk.control, ADMIN)["items"] == []


def test_sync_answers_every_branch_by_itself(desk: Desk) -> None:
    desk.pushed("good", "slug: acme\n")
    desk.pushed("bad", "slug: beta\nsize: 3\n", "tenants/beta/tenant.yaml")
    items = {item["branch"]: item for item in opening.sync(desk.control, ADMIN, ASK)["items"]}
    assert items["good"]["review"]
    assert "tenants/beta/tenant.yaml:2" in items["bad"]["problem"]["detail"]
    desk.run()
    again = opening.sync(desk.control, ADMIN, ASK)["items"]
    assert [item["branch"] for item in again] == ["bad"]


def test_what_changes_without_a_review_is_on_the_base_soon(desk: Desk) -> None:
    desk.ready()
    with desk.house.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE tenant SET display_name = 'Acme', revision = revision + 1, updated_at = '2030-01-01'"
        )
    desk.run()
    assert 'display_name: "Acme"' in (desk.on_main() or "")


def test_direct_changes_have_no_review(house: House) -> None:
    made = tenants.create(house.control, ADMIN, Create(slug="acme"), ASK)
    assert made["review"] is None
    with pytest.raises(Refused, match="directly"):
        opening.sync(house.control, ADMIN, ASK)
