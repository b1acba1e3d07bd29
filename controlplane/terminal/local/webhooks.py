"""Webhooks in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controlplane.services import asking, bodies
from controlplane.services.actor import Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control
from controlplane.services.webhooks import asking as webhooks

Answer = dict[str, Any]
Body = Mapping[str, Any]


def page(control: Control, actor: Actor) -> Answer:
    return webhooks.page(control, actor)


def add(control: Control, actor: Actor, body: Body, way: Way) -> Answer:
    wanted = bodies.parse(bodies.NewWebhook, dict(body))
    return asking.do_secretly(control, actor, way, lambda c, ask: webhooks.add(c, actor, wanted, ask))


def remove(control: Control, actor: Actor, webhook_id: str, way: Way) -> Answer:
    done = asking.do(control, actor, way, lambda c, ask: webhooks.remove(c, actor, webhook_id, ask))
    return dict(done.body)


def replay(control: Control, actor: Actor, webhook_id: str, body: Body, way: Way) -> Answer:
    wanted = bodies.parse(bodies.Replay, dict(body))
    done = asking.do(control, actor, way, lambda c, ask: webhooks.replay(c, actor, webhook_id, wanted, ask))
    return dict(done.body)
