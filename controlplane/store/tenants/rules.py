"""Tenants' places among the rules of their platforms' listeners: given out, never computed from a name."""

from __future__ import annotations

from sqlalchemy import Select, and_, bindparam, delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.tenant import Environment
from controlplane.store.database import changed_rows, insert_if_absent, prepared
from controlplane.store.slots import GONE
from controlplane.store.tables import ListenerRule, Platform, Slot, Tenant

LAST = 49_999  # what AWS takes; the platform's own answer to everybody else comes behind


def of_tenant(session: Session, uid: str) -> dict[Environment, int]:
    """Its place on each of its platforms, by environment."""
    found = session.execute(_of_tenant(), {"uid": uid})
    return {Environment(environment): priority for environment, priority in found}


@prepared
def _of_tenant() -> Select[str, int]:
    return (
        select(col(Platform.environment), col(ListenerRule.priority))
        .join(Platform, col(Platform.workspace_id) == col(ListenerRule.platform_id))
        .where(col(ListenerRule.tenant_uid) == bindparam("uid"))
    )


def count(session: Session, platform_id: str) -> int:
    query = select(func.count()).where(col(ListenerRule.platform_id) == platform_id)
    return int(session.scalars(query).one())


def keep(session: Session, platform_id: str, uid: str, priority: int) -> bool:
    """Record this very place, unless it is taken or the tenant has one there; whether it was free."""
    row = {"platform_id": platform_id, "tenant_uid": uid, "priority": priority}
    return insert_if_absent(session, ListenerRule, row)


def take(session: Session, platform_id: str, uid: str) -> int:
    """The lowest free place. Of two who reach for one at once, the other takes the next."""
    mine = select(col(ListenerRule.priority)).where(
        col(ListenerRule.platform_id) == platform_id, col(ListenerRule.tenant_uid) == uid
    )
    taken = select(col(ListenerRule.priority)).where(col(ListenerRule.platform_id) == platform_id)
    while (found := session.scalars(mine).one_or_none()) is None:
        used = set(session.scalars(taken))
        free = next(number for number in range(1, LAST + 1) if number not in used)
        keep(session, platform_id, uid, free)
    return found


def release(session: Session, uid: str) -> None:
    """Give back the places on platforms on which no database of the tenant is wanted or there."""
    same = and_(col(Platform.blueprint) == col(Tenant.blueprint), col(Platform.cell) == col(Tenant.cell))
    home = func.coalesce(func.nullif(col(Slot.environment), ""), col(Tenant.environment))
    lives = (
        select(col(Platform.workspace_id))
        .join(Tenant, same)
        .join(Slot, col(Slot.tenant_uid) == col(Tenant.uid))
        .where(col(Tenant.uid) == uid, col(Slot.status) != GONE, col(Platform.environment) == home)
    )
    mine = delete(ListenerRule).where(col(ListenerRule.tenant_uid) == uid)
    changed_rows(session, mine.where(col(ListenerRule.platform_id).notin_(lives)))
