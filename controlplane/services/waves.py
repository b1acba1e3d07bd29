"""Bulk changes in waves: canaries first, then so many at a time; paused, continued and ended by a person or
by too many failures. Every item is an ordinary operation, behind those that people ask for singly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain import waves as rules
from controlplane.domain.errors import Conflict, ControlPlaneError, Invalid
from controlplane.domain.operation import Kind
from controlplane.operations import Request, operation_type
from controlplane.services import bodies, tenants
from controlplane.services.accept import THROUGH_REVIEW
from controlplane.services.actor import Action, Actor, Role
from controlplane.services.control import Ask, Control, new_id, plain
from controlplane.services.fleet import Listing, page
from controlplane.services.once import within
from controlplane.services.reviews import machine
from controlplane.store import tenants as rows
from controlplane.store import waves as store
from controlplane.store.tables import Wave

PRIORITY = 20  # who asks for one tenant does not wait behind a thousand
_PAGE = 200


@dataclass(frozen=True)
class Bulk:
    """What is asked of many: the change, whom it is about, and how it goes through them."""

    kind: Kind
    selector: str
    body: dict[str, Any]
    size: int
    canary: int = 0
    abort_after_percent: Decimal | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)  # on what grounds; of a machine's reviews


def start(control: Control, actor: Actor, bulk: Bulk, ask: Ask) -> dict[str, Any]:
    """Take down whom it is about, once: tenants that match later are not part of it."""
    actor.require(Action.CHANGE_TENANT)
    _check(bulk)
    found = chosen(control, actor, bulk.selector)
    if not found:
        message = f"no tenant that you may change matches {bulk.selector!r}"
        raise Invalid(message, hint="controlplane tenant list -l …")
    return begin(control, actor, bulk, found, ask)


def begin(
    control: Control, actor: Actor, bulk: Bulk, found: Sequence[tuple[str, str]], ask: Ask
) -> dict[str, Any]:
    """A wave over (uid, slug) of its tenants; the worker's next look starts its first ones."""
    wave = Wave(
        id=new_id("wave"),
        kind=bulk.kind.value,
        status=rules.WaveStatus.RUNNING.value,
        selector=bulk.selector,
        size=bulk.size,
        canary=bulk.canary,
        abort_after_percent=bulk.abort_after_percent,
        payload={"body": bulk.body, "auto_approve": ask.auto_approve, "evidence": dict(bulk.evidence)},
        requested_by=actor.name,
        reason=ask.reason,
        created_at=control.now(),
    )
    with control.db.write() as session:
        store.insert(session, wave, found)
    return show(control, actor, wave.id)


def _check(bulk: Bulk) -> None:
    rules.check_wave(rules.Wave(bulk.size, bulk.canary, bulk.abort_after_percent))
    if bulk.kind in (Kind.CREATE, Kind.PLATFORM):
        raise Invalid(f"a wave changes tenants that exist; {bulk.kind} is for one at a time")
    if not bulk.selector.strip():
        raise Invalid("a wave needs a selector: say whom it is about, such as -l stage=poc")
    bodies.parse(operation_type(bulk.kind).request, {**bulk.body, **_own(bulk.kind, "any")})


def chosen(control: Control, actor: Actor, selector: str) -> list[tuple[str, str]]:
    """(uid, slug) of everybody who matches and whom the actor sees."""
    found: list[tuple[str, str]] = []
    token: str | None = ""
    while token is not None:
        answer = page(control, actor, Listing(selector=selector, page_size=_PAGE, page_token=token))
        found += [(row["uid"], row["slug"]) for row in answer["items"]]
        token = answer["next_page_token"]
    return found


def show(control: Control, actor: Actor, wave_id: str) -> dict[str, Any]:
    """The wave with a result for each tenant."""
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        wave, items = store.get(session, wave_id), store.items(session, wave_id)
    seen = [item for item in items if actor.sees(item.tenant_slug)]
    return {
        **_view(wave),
        "counts": dict(Counter(item.status for item in items)),
        "items": [
            {
                "position": item.position,
                "tenant": item.tenant_slug,
                "operation": item.operation_id,
                "status": item.status,
                "detail": item.detail,
            }
            for item in seen
        ],
    }


def every(control: Control, actor: Actor) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        return {"items": [_view(wave) for wave in store.every(session)], "next_page_token": None}


_COLUMNS = (
    "id",
    "kind",
    "status",
    "selector",
    "size",
    "canary",
    "requested_by",
    "reason",
    "note",
    "created_at",
)


def _view(wave: Wave) -> dict[str, Any]:
    view = {name: plain(getattr(wave, name)) for name in (*_COLUMNS, "ended_at")}
    percent = wave.abort_after_percent
    return {**view, "abort_after_percent": None if percent is None else f"{percent.normalize():f}"}


def steer(control: Control, actor: Actor, wave_id: str, verb: str) -> dict[str, Any]:
    """`pause` starts nothing more, `continue` goes on, `abort` ends it; what was started goes to its end."""
    actor.require(Action.CHANGE_FLEET)
    running, paused = rules.WaveStatus.RUNNING.value, rules.WaveStatus.PAUSED.value
    following = {"pause": paused, "continue": running, "abort": rules.WaveStatus.ABORTED.value}[verb]
    ended = control.now() if verb == "abort" else None
    note = f"{following} by {actor.name}"
    with control.db.write() as session:
        before = store.get(session, wave_id).status
        legal = {"pause": (running,), "continue": (paused,), "abort": (running, paused)}[verb]
        if before not in legal or not store.move(session, wave_id, before, following, note, ended):
            raise Conflict(f"the wave {wave_id} cannot be told to {verb}: it is {before}")
    return show(control, actor, wave_id)


def advance(control: Control) -> None:
    """One look at every wave that runs; a hook of the worker. Two workers at once start nothing twice."""
    with control.db.read() as session:
        running = store.running(session)
    for wave_id in running:
        _advance(control, wave_id)


def _advance(control: Control, wave_id: str) -> None:
    with control.db.read() as session:
        wave = store.get(session, wave_id)
        items = [rules.Item(i.position, i.status) for i in store.items(session, wave_id)]
    shape = rules.Wave(wave.size, wave.canary, wave.abort_after_percent, rules.WaveStatus(wave.status))
    following = rules.next_actions(shape, items)
    if following.status != shape.status:
        with control.db.write() as session:
            ended = control.now() if following.status is not rules.WaveStatus.PAUSED else None
            store.move(session, wave_id, wave.status, following.status.value, following.reason, ended)
    for position in following.start:
        _start(control, wave, position)


def _start(control: Control, wave: Wave, position: int) -> None:
    """The item's claim and its operation in one transaction; a refusal is the item's result."""
    with control.db.write() as session:
        slug = store.take(session, wave.id, position)
        if slug is None:
            return
        kind = Kind(wave.kind)
        actor = Actor(wave.requested_by, Role.OPERATOR, origin=f"wave {wave.id}")
        approved = bool(wave.payload["auto_approve"])
        ask = Ask(wave.reason, auto_approve=approved, priority=PRIORITY, wave_id=wave.id)
        try:
            body = bodies.parse(operation_type(kind).request, {**wave.payload["body"], **_own(kind, slug)})
            made = _change(within(control, session), session, actor, _Item(wave, kind, slug, body), ask)
            store.note_item(session, wave.id, position, operation_id=made["id"])
        except ControlPlaneError as error:
            store.note_item(session, wave.id, position, status=rules.REFUSED, detail=error.message)


@dataclass(frozen=True)
class _Item:
    wave: Wave
    kind: Kind
    slug: str
    body: Request


def _change(control: Control, session: Session, actor: Actor, item: _Item, ask: Ask) -> dict[str, Any]:
    """A rollout asks through reviews as machines do: one open for a tenant, renewed by the next one."""
    if item.kind is not Kind.ROLLOUT or control.changes_through != THROUGH_REVIEW:
        return tenants.change(control, actor, item.kind, item.slug, item.body, ask)
    was = rows.by_slug(session, item.slug)
    told = {"template": f"from {was.template_version}", **item.wave.payload["evidence"], "wave": item.wave.id}
    back = f"controlplane tenant rollout {item.slug} --to {was.template_digest}"
    wanted = machine.Proposal(machine.ROLLOUT, item.kind, item.slug, item.body, told, back)
    return machine.propose(control, actor, wanted, ask)


def _own(kind: Kind, slug: str) -> dict[str, Any]:
    """What a request says of its own tenant."""
    return {"confirm": slug} if kind is Kind.DESTROY else {}
