"""What a shell offers behind Tab: slugs, ids and serials. A failure offers nothing, and says nothing."""

from __future__ import annotations

from contextlib import closing

import typer

from controlplane.domain.errors import ControlPlaneError
from controlplane.settings import load
from controlplane.terminal.client import Query, named_workspace
from controlplane.terminal.reach import connect


def slugs(incomplete: str) -> list[str]:
    return [str(t["slug"]) for t in _items("tenants", {"q": incomplete})]


def operation_ids(incomplete: str) -> list[str]:
    return [str(o["id"]) for o in _items("operations", {}) if str(o["id"]).startswith(incomplete)]


def serials(context: typer.Context, incomplete: str) -> list[str]:
    """Of the workspace that was named before."""
    try:
        with closing(connect(load())) as client:
            workspace = named_workspace(client, str(context.params.get("workspace") or ""))
            found = [str(one["serial"]) for one in client.states(workspace)["items"]]
    except (ControlPlaneError, ValueError, OSError):
        return []
    return [serial for serial in found if serial.startswith(incomplete)]


def _items(what: str, query: Query) -> list[dict[str, object]]:
    try:
        with closing(connect(load())) as client:
            answer = client.tenants(query) if what == "tenants" else client.operations(query)
    except (ControlPlaneError, ValueError, OSError):
        return []
    return list(answer["items"])
