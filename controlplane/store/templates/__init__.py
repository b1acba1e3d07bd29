"""Templates that tenants are made from: kept by their digest for as long as anybody may be pinned to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.workspace import Template as Whole
from controlplane.store.database import insert_if_absent
from controlplane.store.tables import Template, Tenant


@dataclass(frozen=True)
class Pin:
    """Which template a tenant's workspace was applied with last."""

    uid: str
    slug: str
    blueprint: str
    version: str
    digest: str


def keep(session: Session, template: Whole, now: datetime) -> None:
    """Kept once; what has the same digest is the same."""
    row = Template(
        digest=template.digest,
        blueprint=template.blueprint,
        version=template.version,
        modules=dict(template.modules),
        files=dict(template.files),
        kept_at=now,
    )
    insert_if_absent(session, Template, row.model_dump())


def find(session: Session, digest: str) -> Template | None:
    return session.get(Template, digest)


def of_blueprint(session: Session, blueprint: str) -> list[Template]:
    """The one that was kept last comes first."""
    query = select(Template).where(col(Template.blueprint) == blueprint)
    return list(session.scalars(query.order_by(col(Template.kept_at).desc(), col(Template.digest))))


def in_use(session: Session) -> list[Pin]:
    """Of everybody who has a workspace, by slug."""
    columns = (Tenant.uid, Tenant.slug, Tenant.blueprint, Tenant.template_version, Tenant.template_digest)
    query = (
        select(*(col(one) for one in columns))
        .where(col(Tenant.phase) != "torn_down", col(Tenant.template_version) != "")
        .order_by(col(Tenant.slug))
    )
    return [Pin(*map(str, row)) for row in session.execute(query)]
