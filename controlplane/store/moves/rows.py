"""The table of migrations. It belongs to the one metadata, and is made by migrations of the schema only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.columns import Json, UtcTime

OVER = "'rolled_back','reversed','complete'"


def _time(nullable: bool = True) -> Any:
    return Field(default=None, sa_type=UtcTime, nullable=nullable)


def _json(default: Any) -> Any:
    return Field(default_factory=default, sa_column=Column(Json, nullable=False))


class Migration(SQLModel, table=True):
    """A tenant's way from one of its databases to another. A tenant has one that is not over."""

    __table_args__ = (
        Index(
            "migration_one_open",
            "tenant_uid",
            unique=True,
            sqlite_where=text(f"state NOT IN ({OVER})"),
            postgresql_where=text(f"state NOT IN ({OVER})"),
        ),
        Index("migration_tenant", "tenant_uid", "created_at"),
        Index("migration_fence", "fence_deadline"),
    )

    id: str = Field(primary_key=True)  # of the operation that began it
    tenant_uid: str = Field(foreign_key="tenant.uid")
    holder: str  # the operation that moves it now, or moved it last
    strategy: str
    state: str
    flip: str = "open"
    from_epoch: int
    to_epoch: int
    token: str  # of the marker row
    requested_by: str
    outage_minutes: int
    fenced_epoch: int | None = None  # whose logins we hold closed
    fenced_at: datetime | None = _time()
    fence_deadline: datetime | None = _time()  # None: it stands until somebody lifts it
    before: dict[str, Any] = _json(dict)  # the tenant's columns, to go back to
    after: dict[str, Any] = _json(dict)
    timings: list[Any] = _json(list)  # state, at, operation
    checklist: list[Any] = _json(list)
    verification: dict[str, Any] = _json(dict)
    receipts: dict[str, Any] = _json(dict)
    loss: dict[str, Any] = _json(dict)  # what a rollback past OPEN gave up
    note: str = ""
    created_at: datetime = _time(nullable=False)
    flipped_at: datetime | None = _time()
    opened_at: datetime | None = _time()
    ended_at: datetime | None = _time()
