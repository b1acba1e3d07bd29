"""Reviews in this process: what is asked of a repository, and who answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.domain.review.progress import ReviewStatus
from controlplane.services import asking, bodies
from controlplane.services.actor import Actor
from controlplane.services.asking import Change, Way
from controlplane.services.control import Control
from controlplane.services.reviews import asking as reviews
from controlplane.services.reviews import opening

Answer = dict[str, Any]


def page(control: Control, actor: Actor, query: Mapping[str, Any]) -> Answer:
    given = dict(query)
    statuses = [ReviewStatus(given.pop("status"))] if "status" in given else []
    return reviews.page(control, actor, statuses, **given)


def show(control: Control, actor: Actor, review_id: str) -> Answer:
    return reviews.show(control, actor, review_id)


def send(control: Control, actor: Actor, path: str, body: Mapping[str, Any], way: Way) -> Answer:
    """What is answered to a change at `/v1/<path>`."""
    return dict(asking.do(control, actor, way, _change(actor, path, body)).body)


def _change(actor: Actor, path: str, body: Mapping[str, Any]) -> Change:
    if path == "reviews":
        wanted = bodies.parse(reviews.OpenReview, dict(body))
        return lambda c, ask: opening.open_(c, actor, wanted, ask)
    if path == "reviews/sync":
        return lambda c, ask: opening.sync(c, actor, ask)
    _, review_id, verb = path.split("/")
    act = {"approve": reviews.approve, "merge": reviews.merge}[verb]
    return lambda c, ask: act(c, actor, review_id, ask)
