"""Databases that exist and are nobody's: listed with a proposal, and taken over one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from controlplane.domain import names
from controlplane.domain.errors import Unavailable
from controlplane.domain.operation import Kind
from controlplane.domain.tenant import Size, Stage
from controlplane.operations.adopt import Adopt
from controlplane.ports import DatabaseInstance
from controlplane.services import views
from controlplane.services.accept import Intake, require_verb
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Ask, Control
from controlplane.services.founding import (
    check_against_catalog,
    found_tenant,
    require_platform,
    spec_of,
)
from controlplane.store import slots, tenants

_PRODUCTION = re.compile(r"(^|[^a-z])(prod|production|live)([^a-z]|$)")
_PROVISIONAL = Size.SMALL  # until its first step has looked at the database
_LONGEST = 40


def adopt(control: Control, actor: Actor, slug: str, body: Adopt, ask: Ask) -> dict[str, Any]:
    """The tenant's row; what the database is, the operation's first step finds out. Answers the operation."""
    parsed = names.parse_slug(slug)
    actor.require(Action.CREATE_TENANT, parsed)
    wanted = body.model_dump(exclude={"identifier"}, exclude_none=True)
    spec = spec_of(control, {"size": _PROVISIONAL, **wanted})
    check_against_catalog(control, spec)
    require_verb(control, Kind.ADOPT, slug, spec.blueprint)
    with control.db.write() as session:
        tenant = found_tenant(control, session, parsed, spec, actor)
        require_platform(session, spec)
        payload = body.model_dump(mode="json", exclude_none=True)
        workspace = names.tenant_workspace(names.TenantUid(tenant.uid))
        operation = Intake(control, session, actor, ask).accept(Kind.ADOPT, workspace, payload, tenant)
        return views.operation(session, operation)


def discover(control: Control, actor: Actor) -> dict[str, Any]:
    """Instances of PostgreSQL that no control plane manages, each with what it could become."""
    actor.require(Action.READ_FLEET)
    with control.db.read() as session:
        ours, taken = slots.identifiers(session), tenants.slugs(session)
    items = []
    for one in sorted(fleet(control), key=lambda one: one.identifier):
        if one.identifier in ours or one.tags.get("managed-by") == "controlplane":
            continue
        if one.engine in ("", "postgres"):
            items.append(_proposal(control, one, taken))
    return {"items": items, "next_page_token": None}


def fleet(control: Control) -> list[DatabaseInstance]:
    if control.fleet_source is None:
        raise Unavailable("this control plane cannot look at AWS", hint="controlplane doctor")
    return list(control.fleet_source().databases(fresh=True))


def _proposal(control: Control, one: DatabaseInstance, taken: set[str]) -> dict[str, Any]:
    stage, slug = _stage(one), _slug(one, taken)
    size = next((s for s in Size if control.catalog.sizes[s].instance_class == one.instance_class), None)
    said = f" --size {nearest(control, one).value}" if size is None else ""
    return {
        "identifier": one.identifier,
        "class": one.instance_class,
        "storage_gb": one.storage_gb,
        "engine_version": one.engine_version,
        "status": one.status,
        "multi_az": one.multi_az,
        "encrypted": one.encrypted,
        "proposed_slug": slug,
        "proposed_size": (size or nearest(control, one)).value,
        "proposed_stage": stage.value,
        "obstacles": _obstacles(one, size),
        "next_command": f"controlplane tenant adopt {slug} --identifier {one.identifier}"
        f" --stage {stage.value}{said}",
    }


def _slug(one: DatabaseInstance, taken: set[str]) -> str:
    """From its tag or its identifier, as the rule of slugs wants it."""
    text = one.tags.get("tenant") or one.tags.get("Name") or one.identifier
    base = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    base = base if base[:1].isalpha() else f"t-{base}"
    base = (base if len(base) >= 3 else f"{base}-db")[: _LONGEST - 3].strip("-")
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    taken.add(slug)
    return slug


def _stage(one: DatabaseInstance) -> Stage:
    """What is kept twice, or is called so, is production."""
    said = " ".join([one.identifier, *(one.tags.get(k, "") for k in ("stage", "environment", "env"))])
    production = one.multi_az or bool(_PRODUCTION.search(said.lower()))
    return Stage.PRODUCTION if production else Stage.POC


def nearest(control: Control, one: DatabaseInstance) -> Size:
    """The step of the ladder that its name speaks of; else the smallest that production may have."""
    wanted = one.instance_class.rpartition(".")[2]
    ladder: Mapping[str, Size] = {
        control.catalog.sizes[size].instance_class.rpartition(".")[2]: size for size in Size
    }
    return ladder.get(wanted, Size.LARGE if "large" in wanted else Size.SMALL)


def _obstacles(one: DatabaseInstance, size: Size | None) -> list[str]:
    """What policy or the plan will say of it."""
    found = []
    if size is None:
        found.append(f"{one.instance_class} is no size of ours: its class would be changed")
    if not one.encrypted:
        found.append("its storage is not encrypted: policy refuses it, but for an override")
    if one.public:
        found.append("it can be reached publicly: that would be taken away")
    if one.status != "available":
        found.append(f"it is {one.status}: it is taken over when it is available")
    return found
