"""The fleet's care in this process: each address of the API with who answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controlplane.domain.errors import Missing
from controlplane.services import adoption, asking, bodies, cells, quotas
from controlplane.services.actor import Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control
from controlplane.services.drift import asked as drift_asked
from controlplane.services.drift import deciding as differences
from controlplane.services.drift import scanning as drift
from controlplane.services.records import finder
from controlplane.services.recovery import drilling
from controlplane.services.rightsizing import asked, deciding, inbox, looking, scanning
from controlplane.services.schedules import listing, running
from controlplane.services.templates import outdated, rolling

Answer = dict[str, Any]
Values = Mapping[str, Any]
Decision = Callable[[Control, Actor, str, Any], Answer]


def read(control: Control, actor: Actor, path: str, query: Values) -> Answer:
    """What `GET /v1/<path>` answers."""
    noun, _, rest = path.partition("/")
    if path in _LISTS:
        model, show = _LISTS[path]
        return show(control, actor, bodies.parse(model, dict(query)))
    if noun == "tenants":
        return looking.metrics(control, actor, rest.removesuffix("/metrics"))
    if path == "quotas":
        return quotas.show(control, actor, str(query.get("region", "")))
    return _ONE[noun](control, actor, rest)


_ONE: Mapping[str, Callable[[Control, Actor, str], Answer]] = {
    "recommendations": inbox.show,
    "drift": differences.show,
    "cells": cells.show,
}
_LISTS: Mapping[str, tuple[type[Any], Callable[[Control, Actor, Any], Answer]]] = {
    "recommendations": (asked.Inbox, inbox.page),
    "drift": (drift_asked.Listing, differences.page),
    "catalog/orphans": (bodies.Nothing, lambda control, actor, _: finder.orphans(control, actor)),
    "catalog/unmanaged": (bodies.Nothing, lambda control, actor, _: adoption.discover(control, actor)),
    "drills": (drilling.Listing, drilling.page),
    "cells": (bodies.Nothing, lambda control, actor, _: cells.page(control, actor)),
    "templates/outdated": (bodies.Nothing, lambda control, actor, _: outdated.show(control, actor)),
    "schedules": (bodies.Nothing, lambda control, actor, _: listing.page(control, actor)),
}


def send(control: Control, actor: Actor, path: str, body: Values, way: Way) -> Answer:
    """What is answered to a change at `/v1/<path>`. Looks outside are made before anything is written."""
    if path == "quotas/refresh":
        return quotas.refresh(control, actor, way)
    if path in _WAYS:
        model, act = _WAYS[path]
        return act(control, actor, bodies.parse(model, dict(body)), way)
    noun, _, rest = path.partition("/")
    if noun == "schedules":
        return _schedule(control, actor, rest, body, way)
    id_, _, verb = rest.partition("/")
    decide = _DECISIONS.get((noun, verb))
    if decide is None:
        raise Missing(f"there is nothing to do at {path!r}")
    if verb == "dismiss":
        wanted = bodies.parse(asked.Dismissal, dict(body))
        return _done(control, actor, way, lambda c, ask: deciding.dismiss(c, actor, id_, wanted, ask))
    return _done(control, actor, way, lambda c, ask: decide(c, actor, id_, ask))


_WAYS: Mapping[str, tuple[type[Any], Callable[[Control, Actor, Any, Way], Answer]]] = {
    "recommendations/scans": (asked.Scanning, scanning.scan),
    "drift/scans": (drift_asked.Scanning, drift.scan),
    "templates/rollout": (
        rolling.NewRollout,
        lambda control, actor, body, way: dict(rolling.roll(control, actor, body, way).body),
    ),
}
_DECISIONS: Mapping[tuple[str, str], Any] = {
    ("recommendations", "propose"): deciding.propose,
    ("recommendations", "apply"): deciding.apply,
    ("recommendations", "dismiss"): deciding.dismiss,
    ("drift", "accept"): differences.accept,
    ("drift", "reconcile"): differences.reconcile,
}


def _schedule(control: Control, actor: Actor, rest: str, body: Values, way: Way) -> Answer:
    if rest.endswith("/run"):
        where = bodies.parse(listing.Running, dict(body))
        return running.run(control, actor, rest.removesuffix("/run"), way.ask, where.cell)
    wanted = bodies.parse(listing.Change, dict(body))
    return _done(control, actor, way, lambda c, ask: listing.change(c, actor, rest, wanted, ask))


def _done(control: Control, actor: Actor, way: Way, change: asking.Change) -> Answer:
    return dict(asking.do(control, actor, way, change).body)
