"""The table of migrations. It belongs to the one metadata, and is made by migrations of the schema only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from controlplane.store.columns import document, moment

OVER = "'rolled_back','reversed','complete'"


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
    fenced_at: datetime | None = moment()
    fence_deadline: datetime | None = moment()  # None: it stands until somebody lifts it
    before: dict[str, Any] = document(dict)  # the tenant's columns, to go back to
    after: dict[str, Any] = document(dict)
    timings: list[Any] = document(list)  # state, at, operation
    checklist: list[Any] = document(list)
    verification: dict[str, Any] = document(dict)
    receipts: dict[str, Any] = document(dict)
    way_back: dict[str, Any] = document(dict)  # how it stood at the last look, and since when it is gone
    loss: dict[str, Any] = document(dict)  # what a rollback past OPEN gave up
    note: str = ""
    created_at: datetime = moment(nullable=False)
    flipped_at: datetime | None = moment()
    opened_at: datetime | None = moment()
    ended_at: datetime | None = moment()
