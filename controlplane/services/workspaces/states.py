"""Terraform's http backend over the state store: an engineer's own plan sees the state that we see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.domain.errors import Conflict, FieldError, Invalid, Missing
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Control
from controlplane.store import audit, platforms, tenants
from controlplane.store.states import States

_TENANT = "tenant-"
_MOST_VERSIONS = 1000
_PERSON, _RUN = "person:", "run:"


@dataclass(frozen=True)
class Desk:
    """What the state routes work with."""

    control: Control
    states: States


def read(desk: Desk, actor: Actor, workspace: str, serial: int | None = None) -> bytes | None:
    """The newest state in clear, or that of a serial; None where there is none yet."""
    _require(desk, actor, workspace, Action.READ_STATE)
    found = desk.states.newest(workspace) if serial is None else desk.states.get(workspace, serial)
    return found.content if found else None


def write(desk: Desk, actor: Actor, workspace: str, content: bytes, lock_id: str) -> None:
    """Store a version, by whoever holds the lock; never one that is older or of another lineage."""
    _require(desk, actor, workspace, Action.WRITE_STATE)
    stored = desk.states.put(workspace, content, written_by=actor.name, lock_id=lock_id)
    _audit(desk, actor, "state.written", workspace, {"serial": stored.serial, "sha256": stored.sha256})


def versions(desk: Desk, actor: Actor, workspace: str) -> list[dict[str, Any]]:
    """All that are kept, newest first, without their contents."""
    _require(desk, actor, workspace, Action.READ_STATE)
    return [
        {
            "serial": one.serial,
            "at": one.created_at.isoformat(),
            "written_by": one.written_by,
            "run": one.run_id or None,
            "sha256": one.sha256,
        }
        for one in desk.states.versions(workspace, _MOST_VERSIONS)
    ]


def put_back(desk: Desk, actor: Actor, workspace: str, serial: int, way: Way) -> dict[str, Any]:
    """Make an older version the newest, under the lock: it says what was, and AWS is left as it is.

    Asked again it finds that version on top and writes nothing, with an idempotency key or without.
    """
    _require(desk, actor, workspace, Action.WRITE_STATE)
    if way.dry_run:
        return {"workspace": workspace, **desk.states.after_restore(workspace, serial), "dry_run": True}
    lock_id = f"restore:{workspace}"  # of one that was killed here: who asks again takes and frees it
    desk.states.lock(workspace, lock_id, lock_id, {"Operation": "restore", "Who": actor.name})
    try:
        before = desk.states.head(workspace)
        stored = desk.states.restore(workspace, serial, written_by=actor.name)
    finally:
        desk.states.unlock(workspace, lock_id)
    if before is None or stored.seq != before.seq:
        after = {"serial": stored.serial, "sha256": stored.sha256, "of": serial}
        _audit(desk, actor, "state.restored", workspace, after, way.ask.reason)
    return {"workspace": workspace, "serial": stored.serial, "of": serial}


def _audit(
    desk: Desk, actor: Actor, action: str, workspace: str, after: Mapping[str, Any], reason: str = ""
) -> None:
    with desk.control.db.write() as session:
        audit.append(
            session,
            at=desk.control.now(),
            actor=actor.name,
            action=action,
            subject=workspace,
            reason=reason,
            origin=actor.origin,
            after=after,
        )


def lock(desk: Desk, actor: Actor, workspace: str, body: bytes) -> None:
    """Locked raises; its details carry the holder's lock as Terraform wants to read it."""
    _require(desk, actor, workspace, Action.WRITE_STATE)
    info = _info(body)
    desk.states.lock(workspace, str(info.get("ID", "")), f"{_PERSON}{actor.name}", info)


def unlock(desk: Desk, actor: Actor, workspace: str, body: bytes) -> None:
    """An empty body is what `terraform force-unlock` sends: it frees nothing. Nor is a lock of the control
    plane's own freed here: whose run is lost, that is said to its operation."""
    _require(desk, actor, workspace, Action.WRITE_STATE)
    lock_id = str(_info(body).get("ID", "")) if body else ""
    held = desk.states.lock_holder(workspace)
    if held is not None and lock_id and held.holder.startswith(_RUN):
        raise Conflict(
            f"unlocking the state of {workspace}: {held.holder} is the control plane's own run",
            hint="wait for its end; if its host is gone: controlplane operation settle ID --outcome lost",
        )
    desk.states.unlock(workspace, lock_id)
    if held is not None and held.holder != f"{_PERSON}{actor.name}":
        _audit(desk, actor, "lock.released", workspace, {"held_by": held.holder, "lock": held.lock_id})


def _info(body: bytes) -> Mapping[str, Any]:
    try:
        info = json.loads(body)
    except ValueError as error:
        message = "a lock is a JSON object with an ID"
        raise Invalid(message, errors=[FieldError("body", message)]) from error
    if not isinstance(info, dict):
        raise Invalid("a lock is a JSON object with an ID")
    return info


def _require(desk: Desk, actor: Actor, workspace: str, action: Action) -> None:
    """A tenant's workspace belongs to who sees the tenant; a platform's to who sees everything."""
    missing = Missing(f"there is no workspace {workspace!r}", hint="controlplane tenant list")
    with desk.control.db.read() as session:
        if workspace.startswith(_TENANT):
            try:
                slug: str | None = tenants.by_uid(session, workspace.removeprefix(_TENANT)).slug
            except Missing:
                raise missing from None
        else:
            slug = None
            if platforms.by_workspace(session, workspace) is None:
                raise missing
    if not (actor.sees_everything if slug is None else actor.sees(slug)):
        raise missing
    actor.require(action)
