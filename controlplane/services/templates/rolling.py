"""A rollout: everybody who is behind is moved to another version, in waves of ordinary operations."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from controlplane.domain.errors import Conflict, ControlPlaneError, FieldError, Invalid
from controlplane.domain.operation import Kind
from controlplane.operations import Request, Rollout
from controlplane.services import tenants, waves
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way, do
from controlplane.services.control import Ask, Control
from controlplane.services.once import Done, rehearse
from controlplane.services.rehearsal import dry_run
from controlplane.services.waves import Bulk
from controlplane.steps.templates import kept
from controlplane.store import templates as store


class NewRollout(Request):
    """Whom a rollout is about, where it takes them, and how it goes through them."""

    blueprint: Annotated[str, Field(max_length=60)] = ""  # needed where several blueprints have tenants
    to: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]*$", max_length=64)] = ""
    selector: Annotated[str, Field(max_length=500)] = ""
    size: Annotated[int, Field(ge=1, le=1000)] = 5
    canary: Annotated[int, Field(ge=0, le=1000)] = 1
    abort_after_percent: Annotated[float | None, Field(ge=0, le=100)] = None


def start(control: Control, actor: Actor, body: NewRollout, ask: Ask) -> dict[str, Any]:
    """The wave. Its target is fixed now: a release that comes meanwhile is another rollout's."""
    actor.require(Action.CHANGE_TENANT)
    with control.db.write() as session:
        blueprint = body.blueprint or _only_blueprint(control, session)
        wanted = kept.by_version(session, control.catalog, blueprint, body.to)
        store.keep(session, wanted, control.now())
        others = {pin.slug for pin in store.in_use(session) if pin.digest != wanted.digest}
    terms = [f"blueprint={blueprint}", body.selector]
    percent = None if body.abort_after_percent is None else Decimal(str(body.abort_after_percent))
    bulk = Bulk(
        Kind.ROLLOUT,
        ",".join(term for term in terms if term.strip()),
        {"to": wanted.digest},
        body.size,
        body.canary,
        percent,
        evidence={"to": f"{blueprint} {wanted.version} ({wanted.digest[:12]})"},
    )
    chosen = [(uid, slug) for uid, slug in waves.chosen(control, actor, bulk.selector) if slug in others]
    if not chosen:
        raise Conflict(
            f"nobody whom you may change is made from another template than {blueprint} {wanted.version}",
            hint="controlplane template outdated",
        )
    return {**waves.begin(control, actor, bulk, chosen, ask), "to": wanted.digest}


def _only_blueprint(control: Control, session: Session) -> str:
    """Versions are a blueprint's own: one rollout is about one of them."""
    found = sorted({pin.blueprint for pin in store.in_use(session)} & set(control.catalog.blueprints))
    if len(found) != 1:
        message = f"say which blueprint: {', '.join(found) or 'no tenant has a workspace yet'}"
        raise Invalid(message, errors=[FieldError("blueprint", message)])
    return found[0]


def roll(control: Control, actor: Actor, body: NewRollout, way: Way) -> Done:
    """The wave, begun; a dry run plans, prices and judges those who would go first, and begins nothing."""
    if not way.dry_run:
        return do(control, actor, way, lambda within, ask: start(within, actor, body, ask), 201)
    wave = rehearse(control, lambda within: start(within, actor, body, way.ask))
    first = body.canary or body.size
    items = [
        {**item, "rehearsal": _rehearsed(control, actor, item["tenant"], wave["to"], way.ask)}
        if item["position"] <= first
        else item
        for item in wave["items"]
    ]
    return Done(200, {**wave, "items": items})


def _rehearsed(control: Control, actor: Actor, slug: str, digest: str, ask: Ask) -> dict[str, Any]:
    def move(within: Control) -> dict[str, Any]:
        return tenants.change(within, actor, Kind.ROLLOUT, slug, Rollout(to=digest), ask)

    try:
        return dry_run(control, move)
    except ControlPlaneError as error:
        return {"problem": error.problem()}
