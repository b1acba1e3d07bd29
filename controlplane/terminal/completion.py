"""What a shell offers behind Tab: slugs and ids. A failure offers nothing, and says nothing."""

from __future__ import annotations

from contextlib import closing

from controlplane.domain.errors import ControlPlaneError
from controlplane.settings import load
from controlplane.terminal.client import Query
from controlplane.terminal.reach import connect


def slugs(incomplete: str) -> list[str]:
    return [str(t["slug"]) for t in _items("tenants", {"q": incomplete})]


def operation_ids(incomplete: str) -> list[str]:
    return [str(o["id"]) for o in _items("operations", {}) if str(o["id"]).startswith(incomplete)]


def _items(what: str, query: Query) -> list[dict[str, object]]:
    try:
        with closing(connect(load())) as client:
            answer = client.tenants(query) if what == "tenants" else client.operations(query)
    except (ControlPlaneError, ValueError, OSError):
        return []
    return list(answer["items"])
