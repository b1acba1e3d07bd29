"""Platforms: a blueprint's shared part in one environment and cell, with the outputs of its last apply."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import Conflict
from controlplane.store.database import changed_rows, insert_if_absent, prepared
from controlplane.store.tables import Operation, Platform, Slot, Tenant

_FRESH = {"populate_existing": True}


def every(session: Session) -> list[Platform]:
    return list(session.scalars(_every(), execution_options=_FRESH))


@prepared
def _every() -> Select[Platform]:
    return select(Platform).order_by(col(Platform.workspace_id))


def by_workspace(session: Session, workspace_id: str) -> Platform | None:
    return session.get(Platform, workspace_id, populate_existing=True)


def find(session: Session, blueprint: str, environment: str, cell: str) -> Platform | None:
    query = select(Platform).where(
        col(Platform.blueprint) == blueprint,
        col(Platform.environment) == environment,
        col(Platform.cell) == cell,
    )
    return session.scalars(query, execution_options=_FRESH).one_or_none()


def payloads(session: Session, workspace_id: str) -> list[dict[str, Any]]:
    """What was asked for of this platform, the oldest first."""
    query = (
        select(col(Operation.payload))
        .where(col(Operation.workspace_id) == workspace_id)
        .order_by(col(Operation.seq))
    )
    return [dict(payload) for payload in session.scalars(query)]


def tenants_on(session: Session, workspace_id: str) -> list[str]:
    """Slugs of those who live there, or have a database there still."""
    found = by_workspace(session, workspace_id)
    if found is None:
        return []
    of_its_blueprint = (col(Tenant.blueprint) == found.blueprint, col(Tenant.cell) == found.cell)
    lives = and_(col(Tenant.environment) == found.environment, col(Tenant.phase) != "torn_down")
    slot_there = and_(col(Slot.environment) == found.environment, col(Slot.status) == "present")
    left = select(col(Slot.tenant_uid)).where(slot_there)
    query = (
        select(col(Tenant.slug))
        .where(*of_its_blueprint, or_(lives, col(Tenant.uid).in_(left)))
        .order_by(col(Tenant.slug))
    )
    return list(session.scalars(query))


def ensure(  # noqa: PLR0913 - the columns that name a platform
    session: Session,
    workspace_id: str,
    *,
    blueprint: str,
    environment: str,
    cell: str,
    region: str,
    options: Mapping[str, Any],
    now: datetime,
) -> Platform:
    """The platform's row, made when it is not there; its options are what was asked for last."""
    wanted: dict[str, Any] = {"options": dict(options), "updated_at": now}
    fixed: dict[str, Any] = {
        "blueprint": blueprint,
        "environment": environment,
        "cell": cell,
        "region": region,
    }
    row = Platform(workspace_id=workspace_id, **fixed, **wanted)
    if not insert_if_absent(session, Platform, row.model_dump()):
        same = [col(getattr(Platform, name)) == value for name, value in fixed.items()]
        this = update(Platform).where(col(Platform.workspace_id) == workspace_id, *same)
        if not changed_rows(session, this.values(**wanted)):
            raise Conflict(
                f"there is a platform {blueprint} in {environment}, cell {cell} already, "
                "under another name or in another region"
            )
    found = by_workspace(session, workspace_id)
    assert found is not None  # noqa: S101 - written by this very transaction
    return found


def record_outputs(
    session: Session, workspace_id: str, outputs: Mapping[str, Any], phase: str, now: datetime
) -> None:
    """Keep what the last apply gave; outputs that differ raise the version that tenants are compared with."""
    this = update(Platform).where(col(Platform.workspace_id) == workspace_id)
    if not changed_rows(session, this.values(phase=phase, updated_at=now)):
        raise Conflict(f"there is no platform {workspace_id}: its outputs have no place")
    found = by_workspace(session, workspace_id)  # read while the row is held
    if found is not None and found.outputs != dict(outputs):
        newer = {"outputs": dict(outputs), "outputs_version": Platform.outputs_version + 1}
        changed_rows(session, this.values(**newer))
