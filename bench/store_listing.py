"""One page of fifty out of 10,000 tenants on SQLite: columns against ORM rows, indexes against none."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from bench.rows import Row
from controlplane.store import tenants
from controlplane.store.database import Database, connect
from controlplane.store.migrate import migrate
from controlplane.store.tables import Tenant, TenantLabel
from controlplane.store.tenants import TenantFilter

MANY, PAGE, ROUNDS = 10_000, 50, 60
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def fill(db: Database) -> None:
    pick = random.Random(1)
    rows: list[dict[str, Any]] = [
        {
            "uid": f"u{number:07}",
            "slug": f"tenant-{number:05}",
            "stage": pick.choice(["poc", "poc", "production"]),
            "size": pick.choice(["micro", "small", "medium"]),
            "phase": "ready",
            "region": "us-east-1",
            "created_at": BEGIN + timedelta(seconds=pick.randrange(10**7)),
            "monthly_usd": Decimal(pick.randrange(10_000)) / 100,
        }
        for number in range(MANY)
    ]
    same: dict[str, Any] = {
        "cell": "default",
        "blueprint": "b",
        "environment": "development",
        "storage_gb": 20,
        "cost_tier": "poc-micro",
        "updated_at": BEGIN,
    }
    complete = [Tenant(**same, **row).model_dump() for row in rows]
    with db.write() as session:
        session.execute(insert(Tenant), complete)
        labels = [{"tenant_uid": row["uid"], "key": "team", "value": "a"} for row in rows]
        session.execute(insert(TenantLabel), labels)


def median_ms(work: Callable[[], Any]) -> float:
    work()
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


def orm_page(session: Session) -> None:
    """The same page from ORM rows, each read anew."""
    session.expunge_all()
    rows = session.scalars(select(Tenant).order_by(text("slug")).limit(PAGE + 1)).all()
    mine = TenantLabel.__table__.c.tenant_uid.in_([row.uid for row in rows])  # type: ignore[attr-defined]
    session.scalars(select(TenantLabel).where(mine)).all()


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        db = connect(f"sqlite:///{folder}/tenants.db")
        migrate(db)
        fill(db)
        wanted, sort = TenantFilter(stage="poc", size="micro"), "created_at desc"
        with db.read() as session:
            columns = median_ms(lambda: tenants.page(session, TenantFilter(), "slug", PAGE))
            orm = median_ms(lambda: orm_page(session))
            indexed = median_ms(lambda: tenants.page(session, wanted, sort, PAGE))
            deep = median_ms(lambda: _walk(session, 20)) / 20
        with db.engine.begin() as connection:
            for index in Tenant.__table__.indexes:  # type: ignore[attr-defined]
                connection.exec_driver_sql(f"DROP INDEX {index.name}")
        with db.read() as session:
            bare = median_ms(lambda: tenants.page(session, wanted, sort, PAGE))
        db.close()
    return [
        Row(f"page of {PAGE} out of {MANY:,}; beside: ORM rows", columns, "ms", orm, goal_ratio=1),
        Row("page with two filters and a sort; beside: without indexes", indexed, "ms", bare, goal_ratio=1),
        Row("a further page, by its cursor; beside: the first page", deep, "ms", columns, goal_ratio=1.5),
    ]


def _walk(session: Session, pages: int) -> None:
    """Page after page, as who reads the whole fleet."""
    token = ""
    for _ in range(pages):
        token = tenants.page(session, TenantFilter(), "slug", PAGE, token).next_page_token or ""
