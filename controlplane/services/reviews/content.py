"""What a review's folder holds: rendered from what is recorded and asked for, never read from a branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from controlplane.catalog import Catalog
from controlplane.domain.operation import Kind
from controlplane.domain.review import desired
from controlplane.domain.review.layout import TENANT_FILE
from controlplane.domain.tenant import Phase
from controlplane.domain.workspace import Rendering
from controlplane.rendering import render_platform, render_tenant
from controlplane.steps import subject
from controlplane.steps.subject import Subject
from controlplane.steps.templates import kept
from controlplane.store import operations, tenants
from controlplane.store.operations import OperationFilter
from controlplane.store.reviews.rows import Review
from controlplane.store.tables import Tenant


def recorded(session: Session, tenant: Tenant) -> dict[str, Any]:
    """The desired spec as the catalog has it, by the names of `tenant.yaml`."""
    plain = {name: getattr(tenant, name) for name in desired.KINDS if name != "labels"}
    return {**plain, "labels": tenants.labels(session, tenant.uid)}


def rendering(session: Session, found: Subject, catalog: Catalog) -> Rendering:
    """What the operation's plan was made from: the same inputs give the same bytes."""
    if found.tenant is None:
        return render_platform(subject.platform_workspace(found), catalog)
    template = subject.template(session, found, catalog)
    return render_tenant(subject.tenant_workspace(found, found.wanted(), template), catalog)


def proposed(session: Session, review: Review, found: Subject, rendered: Rendering) -> dict[str, str]:
    """The folder as it shall be once merged. A destroyed tenant has none."""
    if found.kind is Kind.DESTROY:
        return {}
    if found.tenant is None:
        return dict(rendered.files)
    spec = {**recorded(session, found.tenant), **found.wanted_of_tenant()}
    return {**rendered.files, TENANT_FILE: review.desired or desired.write(_known(spec))}


def _known(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name in desired.KINDS}


def as_recorded(session: Session, tenant: Tenant, catalog: Catalog) -> dict[str, str]:
    """A tenant's folder as the catalog says that it is; nothing for one that is not there."""
    last = operations.page(session, OperationFilter(tenant_uid=tenant.uid), None, 1)
    if not last or tenant.phase in (Phase.TORN_DOWN, Phase.REQUESTED):
        return {}
    found = subject.read(session, last[0].id)
    if not found.slots or found.platform is None or not found.platform.outputs:
        return {}
    pinned = kept.by_digest(session, catalog, tenant.blueprint, tenant.template_digest)
    workspace = replace(subject.tenant_workspace(found, found.slots, pinned), imports=())
    files = render_tenant(workspace, catalog).files
    return {**files, TENANT_FILE: desired.write(recorded(session, tenant))}
