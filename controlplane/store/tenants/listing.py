"""The fleet, page by page: filtered, sorted, and stable while tenants come and go.

A page continues after the last row of the one before (sorted value, slug), so inserts shift nothing. Every
filter with every sort has an index; the hot path reads columns, no ORM objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, exists, func, literal, select, tuple_
from sqlalchemy.orm import Session

from controlplane.domain.errors import FieldError, Invalid
from controlplane.domain.money import from_micro, to_micro
from controlplane.store.tables import Tenant, TenantLabel
from controlplane.store.tenants import cursor
from controlplane.store.tenants.cursor import Cursor

SORTS: dict[str, type[str | int | datetime]] = {"slug": str, "created_at": datetime, "monthly_usd": int}
_AFTER_EVERY_SLUG = "~"  # behind every character that a slug may have
_NO_SLUG = re.compile(r"[^a-z0-9-]")


@dataclass(frozen=True)
class TenantFilter:
    """What a listing shall hold; None and empty leave it open. All labels must match."""

    stage: str | None = None
    size: str | None = None
    phase: str | None = None
    region: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    q: str = ""  # what the slug begins with


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant as listings show it: the columns of its row, and its labels."""

    uid: str
    slug: str
    display_name: str
    stage: str
    size: str
    region: str
    cell: str
    blueprint: str
    environment: str
    storage_gb: int
    locations: int
    users: int
    paying: bool
    sla: bool
    sensitive: bool
    generation: int
    observed_generation: int
    phase: str
    phase_reason: str
    unverified: bool
    migration_state: str
    epoch: int
    endpoint: str
    port: int
    cost_tier: str
    monthly_usd: Decimal | None
    template_version: str
    revision: int
    spec_commit: str
    created_at: datetime
    updated_at: datetime
    ready_at: datetime | None
    torn_down_at: datetime | None
    expires_at: datetime | None
    labels: Mapping[str, str]


@dataclass(frozen=True)
class TenantPage:
    items: Sequence[TenantRow]
    next_page_token: str | None


@dataclass(frozen=True)
class Sort:
    column: str
    descending: bool = False


_T: Table = Tenant.__table__  # type: ignore[attr-defined]
_L: Table = TenantLabel.__table__  # type: ignore[attr-defined]
_COLUMNS = [_T.c[f.name] for f in fields(TenantRow) if f.name != "labels"]
_LABELS = (
    select(_L.c.tenant_uid, _L.c.key, _L.c.value)
    .where(_L.c.tenant_uid.in_(bindparam("uids", expanding=True)))
    .order_by(_L.c.key)
)


def parse_sort(text: str) -> Sort:
    """`slug`, `created_at` or `monthly_usd`; `-` before it, or ` desc` behind it, turns it round."""
    name, _, direction = text.strip().removeprefix("-").partition(" ")
    descending = text.strip().startswith("-")
    if name not in SORTS or direction not in ("", "asc", "desc") or (descending and direction):
        message = f"sort by one of {', '.join(SORTS)}; add ` desc` to turn it round"
        raise Invalid(message, errors=[FieldError("sort", message)])
    return Sort(name, descending or direction == "desc")


def page(
    session: Session, wanted: TenantFilter, sort: str = "slug", page_size: int = 50, page_token: str = ""
) -> TenantPage:
    """One page and the token of the next. Tenants of unknown cost come last, whichever way it is sorted."""
    order = parse_sort(sort)
    cursor.check_page_size(page_size)
    question = [asdict(wanted), asdict(order)]
    after = cursor.decode(page_token, question, SORTS[order.column]) if page_token else None
    rows: list[Any] = []
    for query in queries(wanted, order, after):
        rows += session.execute(query.limit(page_size + 1 - len(rows))).all()
        if len(rows) > page_size:
            break
    more = len(rows) > page_size
    del rows[page_size:]
    token = cursor.encode(_cursor(rows[-1], order), question) if more else None
    return TenantPage(_with_labels(session, rows), token)


def count(session: Session, wanted: TenantFilter) -> int:
    query = select(func.count()).select_from(_T).where(*_conditions(wanted))
    return session.execute(query).scalar_one()


def count_by_phase(session: Session) -> dict[str, int]:
    query = select(_T.c.phase, func.count()).group_by(_T.c.phase)
    return {phase: number for phase, number in session.execute(query)}


def queries(wanted: TenantFilter, order: Sort, after: Cursor | None) -> Iterator[Select[Any]]:
    """The stretches of the list from the cursor on, in order: two where values may be unknown.

    Databases do not agree where NULL is sorted; as a stretch of its own it is an index range on both.
    """
    query = select(*_COLUMNS).where(*_conditions(wanted))
    sorted_by, slug = _T.c[order.column], _T.c.slug
    if order.column == "slug":
        key: list[ColumnElement[Any]] = [slug]
        yield _stretch(query, key, order, [after.slug] if after else None)
        return
    if after is None or after.value is not None:
        known = query.where(sorted_by.is_not(None)) if sorted_by.nullable else query
        position = [_value(after, order), after.slug] if after else None
        yield _stretch(known, [sorted_by, slug], order, position)
        after = None
    if sorted_by.nullable:
        unknown = query.where(sorted_by.is_(None))
        yield _stretch(unknown, [slug], order, [after.slug] if after else None)


def _stretch(
    query: Select[Any], key: list[ColumnElement[Any]], order: Sort, after: list[Any] | None
) -> Select[Any]:
    if after is not None:
        place = tuple_(*key)
        last = tuple_(*(literal(value, column.type) for value, column in zip(after, key, strict=True)))
        query = query.where(place < last if order.descending else place > last)
    return query.order_by(*(column.desc() if order.descending else column for column in key))


def _conditions(wanted: TenantFilter) -> Iterator[ColumnElement[bool]]:
    for name in ("stage", "size", "phase", "region"):
        value = getattr(wanted, name)
        if value is not None:
            yield _T.c[name] == value
    if wanted.q:
        # A slug never holds anything else: nothing begins with it.
        prefix = _NO_SLUG.sub(_AFTER_EVERY_SLUG, wanted.q.lower())
        yield _T.c.slug >= prefix
        yield _T.c.slug < prefix + _AFTER_EVERY_SLUG
    for key, value in sorted(wanted.labels.items()):
        yield exists().where(_L.c.tenant_uid == _T.c.uid, _L.c.key == key, _L.c.value == value)


def _value(after: Cursor, order: Sort) -> Any:
    if order.column == "created_at":
        return datetime.fromisoformat(str(after.value))
    return from_micro(int(after.value or 0))


def _cursor(row: Any, order: Sort) -> Cursor:
    value = getattr(row, order.column)
    if isinstance(value, datetime):
        value = value.isoformat()
    return Cursor(to_micro(value) if isinstance(value, Decimal) else value, row.slug)


def _with_labels(session: Session, rows: Sequence[Any]) -> tuple[TenantRow, ...]:
    labels: dict[str, dict[str, str]] = {row.uid: {} for row in rows}
    for uid, key, value in session.execute(_LABELS, {"uids": list(labels)}):
        labels[uid][key] = value
    return tuple(TenantRow(*(*row, labels[row.uid])) for row in rows)
