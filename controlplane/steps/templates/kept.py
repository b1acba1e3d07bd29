"""A template by its digest: the one of this release, or one that was kept when a tenant was made from it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from controlplane.catalog import Catalog
from controlplane.domain.errors import Broken, Conflict, Missing
from controlplane.domain.workspace import Template
from controlplane.rendering import tenant_template, whole_template
from controlplane.store import templates
from controlplane.store.tables import Template as Row


def by_digest(session: Session, catalog: Catalog, blueprint: str, digest: str) -> Template | None:
    """Without a digest that of this release; None where tenants have no workspace."""
    if not catalog.blueprint(blueprint).tenant.modules:
        return None
    shipped = tenant_template(blueprint, catalog)
    if digest in ("", shipped.digest):
        return shipped
    row = templates.find(session, digest)
    if row is None:
        raise Missing(
            f"the template {digest[:12]} of {blueprint} is not kept: nothing can be rendered from it",
            hint="move whoever is pinned to it: controlplane template rollout",
        )
    return whole(row)


def whole(row: Row) -> Template:
    found = whole_template(row.blueprint, row.version, row.modules, row.files)
    if found.digest != row.digest:
        raise Broken(
            f"the template {row.version} of {row.blueprint} is not what was kept as {row.digest[:12]}",
            hint="the catalog was written by somebody else: controlplane db check",
        )
    return found


def by_version(session: Session, catalog: Catalog, blueprint: str, version: str) -> Template:
    """A template by its version or digest; without either that of this release."""
    if not catalog.blueprint(blueprint).tenant.modules:
        raise Conflict(
            f"tenants of {blueprint} have no workspace: they move with their platform",
            hint=f"controlplane blueprint apply {blueprint}",
        )
    shipped = tenant_template(blueprint, catalog)
    if version in ("", shipped.version, shipped.digest):
        return shipped
    rows = templates.of_blueprint(session, blueprint)
    row = next((one for one in rows if version in (one.version, one.digest)), None)
    if row is None:
        known = ", ".join(sorted({shipped.version, *(one.version for one in rows)}))
        raise Missing(
            f"no version {version} of {blueprint} is kept; there are: {known}",
            hint="controlplane template outdated",
        )
    return whole(row)
