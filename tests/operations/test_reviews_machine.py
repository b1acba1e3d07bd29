"""What a machine proposes: one open per tenant and source, with evidence and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from controlplane.domain.errors import Conflict
from controlplane.domain.operation import Kind
from controlplane.operations import Create, Resize
from controlplane.services import operations as asking
from controlplane.services import tenants
from controlplane.services.control import Ask, Control
from controlplane.services.reviews import asking as reviews
from controlplane.services.reviews.machine import Proposal, propose
from controlplane.store import operations
from tests.operations.desk import Desk
from tests.operations.house import ADMIN, ASK, OTHER, House

WHY = Ask(reason="by schedule")
BACK = "controlplane tenant resize acme --size micro"


def ask_for(control: Control, size: str, busy: str = "97 %", source: str = "rightsizing") -> dict[str, Any]:
    wanted = Proposal(source, Kind.RESIZE, "acme", Resize(size=size), {"CPU, two weeks": busy}, BACK)
    return propose(control, ADMIN, wanted, WHY)


def test_its_review_tells_evidence_and_the_way_back(desk: Desk) -> None:
    desk.ready()
    review = ask_for(desk.control, "small")["review"]
    desk.run()
    seen = desk.shown(review)
    assert (seen["status"], seen["machine"], seen["revert"]) == ("open", "rightsizing", BACK)
    assert "| CPU, two weeks | 97 % |" in seen["text"][0]
    assert f"`{BACK}`" in seen["text"][0]
    assert desk.merge(review)["status"] == "applied"
    assert desk.size() == "small"


def test_the_same_again_renews_the_evidence_and_makes_no_second_one(desk: Desk) -> None:
    desk.ready()
    first = ask_for(desk.control, "small")
    desk.run()
    assert ask_for(desk.control, "small", "99 %")["id"] == first["id"]
    assert desk.shown(first["review"])["evidence"] == {"CPU, two weeks": "99 %"}
    assert len(reviews.page(desk.control, ADMIN)["items"]) == 2


def test_something_else_takes_the_first_one_s_place(desk: Desk) -> None:
    desk.ready()
    first = ask_for(desk.control, "small")
    desk.run()
    second = ask_for(desk.control, "medium")
    desk.run()
    assert desk.shown(first["review"])["status"] == "closed"
    assert asking.show(desk.control, ADMIN, first["id"])["status"] == "rejected"
    assert desk.merge(second["review"])["status"] == "applied"
    assert desk.size() == "medium"
    assert desk.forge.branches() == {}


def test_a_person_s_change_and_another_machine_s_are_never_displaced(desk: Desk) -> None:
    desk.ready()
    tenants.change(desk.control, ADMIN, Kind.RESIZE, "acme", Resize(size="medium"), ASK)
    desk.run()
    with pytest.raises(Conflict, match="held by local:ann's resize"):
        ask_for(desk.control, "small")


def test_what_is_planned_right_now_is_left_alone(desk: Desk) -> None:
    desk.ready()
    first = ask_for(desk.control, "small")
    with pytest.raises(Conflict, match=first["id"]):
        ask_for(desk.control, "medium")


def test_another_source_does_not_displace_the_first(desk: Desk) -> None:
    desk.ready()
    ask_for(desk.control, "small")
    desk.run()
    with pytest.raises(Conflict, match="held by"):
        ask_for(desk.control, "medium", source="drift")


def test_without_reviews_it_is_one_operation_all_the_same(house: House) -> None:
    worker = house.worker()
    tenants.create(house.control, ADMIN, Create(slug="acme", stage="production", size="small"), ASK)
    worker.run(until_idle=True)
    first = ask_for(house.control, "medium")
    worker.run(until_idle=True)
    assert ask_for(house.control, "medium")["id"] == first["id"]
    second = ask_for(house.control, "large")
    assert asking.show(house.control, ADMIN, first["id"])["status"] == "rejected"
    assert second["id"] != first["id"]
    worker.engine.stop()


def test_the_same_request_tried_again_keeps_its_grounds(desk: Desk) -> None:
    desk.ready()
    first = ask_for(desk.control, "small")
    desk.run()
    asking.reject(desk.control, OTHER, first["id"], ASK)
    again = asking.retry(desk.control, OTHER, first["id"], ASK)
    assert desk.shown(again["review"])["machine"] == "rightsizing"


def test_the_commit_of_the_desired_spec_is_kept_with_the_tenant(desk: Desk) -> None:
    desk.ready()
    first = tenants.show(desk.control, ADMIN, "acme")["spec_commit"]
    assert "size: micro" in (desk.forge.read(first, "tenants/acme/tenant.yaml") or "")
    made = ask_for(desk.control, "small")
    desk.run()
    assert tenants.show(desk.control, ADMIN, "acme")["spec_commit"] == first
    desk.merge(made["review"])
    then = tenants.show(desk.control, ADMIN, "acme")["spec_commit"]
    assert "size: small" in (desk.forge.read(then, "tenants/acme/tenant.yaml") or "")
    with desk.house.db.read() as session:
        assert operations.get(session, made["id"]).payload["machine"]["source"] == "rightsizing"
