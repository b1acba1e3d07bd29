"""Who is pinned to another template than their blueprint has in this release, and what differs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from controlplane.domain.errors import Missing
from controlplane.domain.workspace import Template
from controlplane.rendering import tenant_template
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.steps.templates import kept
from controlplane.store import templates as store
from controlplane.store.templates import Pin

_UNKNOWN = "the older one is not kept: what differs is seen in the plan"


@dataclass(frozen=True)
class Behind:
    """One who is behind, and the template of this release; None: its blueprint is no longer there."""

    pin: Pin
    newest: Template | None


def show(control: Control, actor: Actor) -> dict[str, Any]:
    """A tenant a row; what differs stands once for all who are behind in the same way."""
    actor.require(Action.READ_TENANT)
    with control.db.read() as session:
        found = [one for one in behind(control, session) if actor.sees(one.pin.slug)]
        ways = {(one.pin.digest, one.newest.digest): one for one in found if one.newest}
        differences = [_difference(control, session, one.pin, one.newest) for one in ways.values()]
    return {
        "items": [_view(one) for one in found],
        "differences": [one for one in differences if one],
        "next_page_token": None,
    }


def behind(control: Control, session: Session) -> list[Behind]:
    newest = {name: _newest(control, name) for name in control.catalog.blueprints}
    found = [Behind(pin, newest.get(pin.blueprint)) for pin in store.in_use(session)]
    return [one for one in found if one.newest is None or one.pin.digest != one.newest.digest]


def _newest(control: Control, blueprint: str) -> Template | None:
    has_any = bool(control.catalog.blueprint(blueprint).tenant.modules)
    return tenant_template(blueprint, control.catalog) if has_any else None


def _view(one: Behind) -> dict[str, Any]:
    newest = one.newest
    return {
        "tenant": one.pin.slug,
        "blueprint": one.pin.blueprint,
        "template_version": one.pin.version,
        "digest": one.pin.digest,
        "newest": newest.version if newest else None,
        "newest_digest": newest.digest if newest else None,
    }


def _difference(control: Control, session: Session, pin: Pin, newest: Template | None) -> dict[str, Any]:
    if newest is None:
        return {}
    head = {
        "blueprint": pin.blueprint,
        "from": pin.version,
        "to": newest.version,
        "from_digest": pin.digest,
        "to_digest": newest.digest,
    }
    try:
        older = kept.by_digest(session, control.catalog, pin.blueprint, pin.digest) if pin.digest else None
    except Missing:
        older = None
    if older is None:
        return {**head, "modules": [], "files": [], "diff": "", "note": _UNKNOWN}
    return {**head, **compared(older, newest), "note": ""}


def compared(older: Template, newer: Template) -> dict[str, Any]:
    """Modules by version, files by what happened to them, and all of it line by line."""
    files = [
        {"path": path, "what": _what(path, older.files, newer.files)}
        for path in sorted({*older.files, *newer.files})
        if older.digests.get(path) != newer.digests.get(path)
    ]
    modules = [
        {"module": name, "from": older.modules.get(name), "to": newer.modules.get(name)}
        for name in sorted({*older.modules, *newer.modules})
        if older.modules.get(name) != newer.modules.get(name)
    ]
    lines = [line for one in files for line in _lines(one["path"], older, newer)]
    return {"modules": modules, "files": files, "diff": "".join(lines)}


def _what(path: str, older: Mapping[str, str], newer: Mapping[str, str]) -> str:
    if path not in older:
        return "added"
    return "changed" if path in newer else "removed"


def _lines(path: str, older: Template, newer: Template) -> Iterator[str]:
    before, after = older.files.get(path, ""), newer.files.get(path, "")
    return difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"{older.version}/{path}",
        f"{newer.version}/{path}",
    )
