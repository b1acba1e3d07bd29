"""A tenant's workspace as it is recorded, and how the folder on this machine differs from it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from controlplane.domain.errors import Conflict, Missing
from controlplane.domain.names import TenantUid, parse_slug, tenant_workspace
from controlplane.domain.redaction import Redactor
from controlplane.domain.review.layout import TENANT_FILE
from controlplane.rendering import check_folder
from controlplane.services.actor import Action, Actor
from controlplane.services.control import Control
from controlplane.services.reviews.content import as_recorded
from controlplane.steps.workspace import read_files
from controlplane.store import tenants


def workspace(control: Control, actor: Actor, slug: str) -> dict[str, Any]:
    """The files that Terraform reads, which hold no secret, and what somebody edited by hand, which may."""
    actor.require(Action.READ_TENANT, parse_slug(slug))
    with control.db.read() as session:
        row = tenants.find(session, slug)
        if row is None:
            raise Missing(f"there is no tenant {slug!r}", hint="controlplane tenant list")
        wanted = as_recorded(session, row, control.catalog)
    wanted.pop(TENANT_FILE, None)
    if not wanted:
        raise Conflict(
            f"{slug} has no workspace yet: it is {row.phase}", hint=f"controlplane tenant explain {slug}"
        )
    name = tenant_workspace(TenantUid(row.uid))
    there = _there(control.workspaces / name) if control.workspaces else None
    return {
        "slug": slug,
        "workspace": name,
        "folder": str(control.workspaces / name) if control.workspaces and there is not None else None,
        "files": [{"path": path, "text": text} for path, text in sorted(wanted.items())],
        "edits": [{"path": e.path, "what": e.what} for e in check_folder(there)] if there else [],
        "diff": "".join(_differences(wanted, there)) if there is not None else None,
    }


def _there(folder: Path) -> dict[str, str] | None:
    """None where this machine has no such folder: another one's worker keeps it."""
    return read_files(folder) if folder.is_dir() else None


def _differences(wanted: Mapping[str, str], there: Mapping[str, str]) -> Iterator[str]:
    for path in sorted({*wanted, *there}):
        before, after = there.get(path, ""), wanted.get(path, "")
        if before != after:
            lines = (before.splitlines(keepends=True), after.splitlines(keepends=True))
            found = difflib.unified_diff(*lines, f"folder/{path}", f"recorded/{path}")
            redactor = Redactor()
            yield from (redactor.line(line) for line in found)
