"""The fleet page by page: complete, in order, stable under inserts, and out of indexes."""

from __future__ import annotations

import itertools
import json
import random
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from controlplane.domain.errors import Invalid
from controlplane.store import tenants
from controlplane.store.database import Database, open_database
from controlplane.store.tables import Tenant, TenantEvent, TenantLabel
from controlplane.store.tenants import TenantFilter, listing
from tests.store.store_rows import NOW, add_tenant, tenant

MANY = 10_000
SORTS = [f"{name}{turn}" for name in listing.SORTS for turn in ("", " desc")]
FILTERS = {
    "all": TenantFilter(),
    "stage": TenantFilter(stage="poc"),
    "size": TenantFilter(size="large"),
    "phase": TenantFilter(phase="failed"),
    "region": TenantFilter(region="eu-west-1"),
    "several": TenantFilter(stage="production", size="small", phase="ready", region="us-east-1"),
    "label": TenantFilter(labels={"team": "a"}),
    "labels": TenantFilter(labels={"team": "a", "rare": "yes"}),
    "q": TenantFilter(q="city"),
    "q and stage": TenantFilter(q="city-0", stage="poc", labels={"team": "b"}),
}


def _fleet() -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    pick = random.Random(7)
    rows, labels = [], []
    for number in range(MANY):
        row = tenant(
            number,
            slug=f"{pick.choice(['acme', 'beta', 'city', 'ci-ty'])}-{number:05}",
            stage=pick.choice(["poc", "poc", "production"]),
            size=pick.choice(["micro", "small", "medium", "large"]),
            phase=pick.choice(["ready"] * 9 + ["failed"]),
            region=pick.choice(["us-east-1", "eu-west-1"]),
            created_at=NOW + timedelta(milliseconds=pick.randrange(MANY // 2)),
            monthly_usd=pick.choice([None, Decimal("12.5"), Decimal(number) / 100]),
        )
        rows.append(row.model_dump())
        labels.append({"tenant_uid": row.uid, "key": "team", "value": pick.choice("abcd")})
        if number % 100 == 0:
            labels.append({"tenant_uid": row.uid, "key": "rare", "value": "yes"})
    return rows, labels


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Ten thousand tenants, for reading only."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("fleet") / "tenants.db"
        file.write_bytes(request.getfixturevalue("migrated_file").read_bytes())
        url = f"sqlite:///{file}"
    else:
        url = request.getfixturevalue("server").create(request.getfixturevalue("migrated_template"))
    db = open_database(url)
    rows, labels = _fleet()
    with db.write() as session:
        session.execute(insert(Tenant), rows)
        session.execute(insert(TenantLabel), labels)
    if request.param == "postgresql":
        with db.reading.connect() as connection:
            connection.execute(text("ANALYZE"))
    yield db
    db.close()


def _walk(session: Session, wanted: TenantFilter, sort: str, size: int = 200) -> list[tenants.TenantRow]:
    found: list[tenants.TenantRow] = []
    token: str | None = ""
    while token is not None:
        page = tenants.page(session, wanted, sort, size, token)
        found += page.items
        token = page.next_page_token
    return found


def _matches(row: Any, labels: dict[str, str], wanted: TenantFilter) -> bool:
    named = ("stage", "size", "phase", "region")
    return (
        all(getattr(wanted, name) in (None, getattr(row, name)) for name in named)
        and row.slug.startswith(wanted.q)
        and all(labels.get(key) == value for key, value in wanted.labels.items())
    )


def _in_order(rows: list[Any], sort: str) -> list[Any]:
    name, _, direction = sort.partition(" ")
    known = [r for r in rows if getattr(r, name) is not None]
    unknown = [r for r in rows if getattr(r, name) is None]
    down = direction == "desc"
    known.sort(key=lambda r: (getattr(r, name), r.slug), reverse=down)
    return known + sorted(unknown, key=lambda r: r.slug, reverse=down)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_lists_exactly_what_matches_in_every_order(fleet: Database, name: str) -> None:
    wanted = FILTERS[name]
    with fleet.read() as session:
        everything = _walk(session, TenantFilter(), "slug")
        matching = [r for r in everything if _matches(r, dict(r.labels), wanted)]
        assert len(everything) == MANY
        assert matching
        assert tenants.count(session, wanted) == len(matching)
        for sort in SORTS:
            assert [r.slug for r in _walk(session, wanted, sort)] == [
                r.slug for r in _in_order(matching, sort)
            ]


PAIRS = list(itertools.product(FILTERS, SORTS))


def _plans(session: Session, explain: str, wanted: TenantFilter, sort: str) -> Iterator[str]:
    """Of the first page and of one in the middle."""
    order = listing.parse_sort(sort)
    middle = {"slug": None, "created_at": NOW.isoformat(), "monthly_usd": 12_500_000}[order.column]
    for after in (None, listing.Cursor(middle, "city-04000")):
        for query in listing.queries(wanted, order, after):
            bind = session.get_bind()
            sql = query.limit(51).compile(bind, compile_kwargs={"literal_binds": True})
            rows = session.connection().exec_driver_sql(f"{explain} {sql}").fetchall()
            yield "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(("name", "sort"), PAIRS)
def test_no_page_is_sorted_or_read_past_an_index(fleet: Database, name: str, sort: str) -> None:
    wanted = FILTERS[name]
    by_prefix = bool(wanted.q) and not sort.startswith("slug")  # a range and another order: one of them sorts
    with fleet.read() as session:
        if session.get_bind().dialect.name == "sqlite":
            for plan in _plans(session, "EXPLAIN QUERY PLAN", wanted, sort):
                assert "TEMP B-TREE" not in plan or by_prefix, plan
                assert "SCAN tenant\n" not in plan + "\n", plan
        else:
            for plan in _plans(session, "EXPLAIN", wanted, sort):
                assert "Seq Scan on tenant " not in plan or by_prefix, plan


def test_a_single_filter_is_searched_for_and_not_walked_past(fleet: Database) -> None:
    with fleet.read() as session:
        if session.get_bind().dialect.name != "sqlite":
            pytest.skip("PostgreSQL chooses by its statistics")
        for name, sort in itertools.product(("stage", "size", "phase", "region"), SORTS):
            for plan in _plans(session, "EXPLAIN QUERY PLAN", FILTERS[name], sort):
                assert f"SEARCH tenant USING INDEX tenant_{name}_" in plan


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=30, unique=True),
    st.lists(st.lists(st.integers(0, 400), max_size=4), max_size=12),
    st.sampled_from(SORTS),
    st.integers(1, 5),
)
def test_who_was_there_is_listed_once_whoever_comes_meanwhile(
    db: Database, first: list[int], later: list[list[int]], sort: str, size: int
) -> None:
    with db.write() as session:
        for table in (TenantEvent, TenantLabel, Tenant):
            session.execute(delete(table))
    _add(db, first)
    arrivals, seen, token = iter(later), [], ""
    while token is not None:
        with db.read() as session:
            page = tenants.page(session, TenantFilter(), sort, size, token)
        seen += [row.slug for row in page.items]
        assert len(seen) <= 500, "the pages never end"
        token = page.next_page_token
        _add(db, next(arrivals, []))
    assert len(seen) == len(set(seen))
    assert {tenant(n).slug for n in first} <= set(seen)


def _add(db: Database, numbers: list[int]) -> None:
    """Times and costs that repeat, and costs that are unknown."""
    with db.write() as session:
        for number in numbers:
            if tenants.find(session, tenant(number).slug) is None:
                cost = None if number % 3 == 0 else Decimal(number % 7)
                add_tenant(session, number, created_at=NOW + timedelta(seconds=number % 5), monthly_usd=cost)


def _token(*content: Any) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


GARBAGE = [
    "x",
    "ä",
    "....",
    "e30",
    "bnVsbA",
    "W10",
    "WzEsMiwzXQ",
    "[" * 5000,
    "\x00",
    _token("m", None, "a" * 9),
]


@pytest.mark.parametrize("token", GARBAGE)
def test_a_garbage_token_is_invalid(db: Database, token: str) -> None:
    with db.read() as session, pytest.raises(Invalid) as caught:
        tenants.page(session, TenantFilter(), page_token=token)
    assert caught.value.errors[0].field == "page_token"


@pytest.mark.parametrize(
    ("sort", "value", "slug"),
    [
        ("slug", 1, "acme"),
        ("slug", "acme", ["acme"]),
        ("slug", "acme", "ac\x00me"),
        ("created_at", "yesterday", "acme"),
        ("created_at", "2025-01-01T00:00:00", "acme"),
        ("created_at", "0001-01-01T00:00:00+23:00", "acme"),
        ("created_at", None, "acme"),
        ("monthly_usd", "12", "acme"),
        ("monthly_usd", 2**64, "acme"),
        ("monthly_usd", True, "acme"),
    ],
)
def test_a_token_forged_with_the_right_mark_is_invalid(
    db: Database, sort: str, value: Any, slug: Any
) -> None:
    question = [listing.asdict(TenantFilter()), listing.asdict(listing.parse_sort(sort))]
    token = _token(listing.cursor._mark(question), value, slug)
    with db.read() as session, pytest.raises(Invalid):
        tenants.page(session, TenantFilter(), sort, page_token=token)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1))
def test_no_token_breaks_the_listing(db: Database, token: str) -> None:
    with db.read() as session, pytest.raises(Invalid):
        tenants.page(session, TenantFilter(), page_token=token)


def test_a_token_of_another_question_is_invalid(fleet: Database) -> None:
    with fleet.read() as session:
        token = tenants.page(session, FILTERS["stage"], "slug").next_page_token
        assert tenants.page(session, FILTERS["stage"], "slug", page_token=token).items
        for wanted, sort in ((FILTERS["all"], "slug"), (FILTERS["stage"], "slug desc")):
            with pytest.raises(Invalid):
                tenants.page(session, wanted, sort, page_token=token)


@pytest.mark.parametrize("sort", ["", "-", "slug slug", "-slug desc", "size", "slug;--", "monthly_usd\x00"])
def test_a_sort_that_is_not_offered_is_invalid(db: Database, sort: str) -> None:
    with db.read() as session, pytest.raises(Invalid, match="sort by one of"):
        tenants.page(session, TenantFilter(), sort)


@pytest.mark.parametrize("size", [0, -1, 201])
def test_a_page_has_a_size_within_bounds(db: Database, size: int) -> None:
    with db.read() as session, pytest.raises(Invalid, match="1 to 200"):
        tenants.page(session, TenantFilter(), page_size=size)


@pytest.mark.parametrize("odd", ["%", "_", "é", "Ω", "a b", "'", "\x7f", "~", "\U0001f600"])
def test_what_no_slug_begins_with_lists_nothing(fleet: Database, odd: str) -> None:
    with fleet.read() as session:
        for q in (odd, f"acme{odd}"):
            assert tenants.page(session, TenantFilter(q=q)).items == ()
        assert tenants.page(session, TenantFilter(q="ACME")).items


def test_filters_take_any_text(fleet: Database) -> None:
    with fleet.read() as session:
        odd = "x' OR '1'='1"
        assert tenants.page(session, TenantFilter(region=odd, labels={odd: odd})).items == ()


def test_a_row_of_a_listing_says_what_the_row_says(new_catalog: Callable[[], str]) -> None:
    db = open_database(new_catalog())
    with db.write() as session:
        add_tenant(session, labels={"b": "2", "a": "1"}, monthly_usd=Decimal("13.374"))
    with db.read() as session:
        (row,) = tenants.page(session, TenantFilter()).items
        stored = tenants.by_uid(session, row.uid)
        assert list(row.labels.items()) == [("a", "1"), ("b", "2")]
        for column in listing.fields(row):
            if column.name != "labels":
                assert getattr(row, column.name) == getattr(stored, column.name)
        assert tenants.count_by_phase(session) == {"requested": 1}
    db.close()
