"""A price book is whole or refused; what it does not know is unknown, never zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from controlplane.catalog.pricebook import (
    COLUMNS,
    REFERENCE,
    current_book,
    dump_book,
    load_book,
    needed_keys,
    parse_book,
)
from controlplane.domain.cost.book import Price, diff_books, make_book
from controlplane.domain.errors import Invalid

DAY = date(2025, 1, 1)


def price(key: str = "alb", usd: str | None = "0.0225", region: str = "us-east-1", **more: object) -> Price:
    kind = "unknown" if usd is None else "list"
    figure = None if usd is None else Decimal(usd)
    return replace(Price(key, region, "hour", figure, kind, DAY, None, "a source"), **more)  # type: ignore[arg-type]


def text(*rows: str) -> str:
    return "\n".join([",".join(COLUMNS), *rows]) + "\n"


@pytest.mark.parametrize("name", ["list", REFERENCE])
def test_every_price_that_ships_says_unit_region_validity_and_source(name: str) -> None:
    for entry in load_book(name).entries.values():
        assert entry.unit
        assert entry.region
        assert entry.source
        assert entry.valid_from <= date(2026, 1, 1)


def test_prices_are_decimal_to_the_last_digit() -> None:
    assert load_book().price("lambda.compute", "us-east-1") == Decimal("0.0000166667")
    assert load_book().price("fargate.memory", "us-east-1") == Decimal("0.004445")


def test_multi_az_instances_cost_twice_a_single_one_in_every_region() -> None:
    book = load_book()
    for key, region in list(book.entries):
        if key.startswith("rds.instance.") and key.endswith(".single"):
            single, multi = book.price(key, region), book.price(key.replace(".single", ".multi"), region)
            assert (multi is None) if single is None else (multi == 2 * single)


def test_a_key_that_nobody_lists_has_no_price() -> None:
    assert load_book().price("rds.instance.db.r6g.16xlarge.multi", "us-east-1") is None


def test_a_listed_but_unknown_price_is_none_and_not_zero() -> None:
    assert load_book().price("rds.instance.db.m6g.large.single", "eu-west-1") is None


def test_a_region_that_the_book_lacks_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="ap-south-1") as caught:
        load_book().price("alb", "ap-south-1")
    assert caught.value.errors[0].field == "region"
    with pytest.raises(Invalid, match="eu-west-1"):
        load_book().rates("mars")


def test_holes_are_refused_and_every_missing_key_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        make_book("b", [price("alb")], needed=["alb", "alb.lcu", "waf"])
    assert [fault.field for fault in caught.value.errors] == ["alb.lcu@us-east-1", "waf@us-east-1"]


def test_a_hole_in_one_region_of_two_is_found() -> None:
    rows = [price("alb"), price("waf"), price("alb", region="eu-west-1")]
    with pytest.raises(Invalid, match="waf@eu-west-1"):
        make_book("b", rows, needed=["alb", "waf"])


def test_a_price_that_stands_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="alb@us-east-1 stands twice"):
        make_book("b", [price(), price(usd="0.03")])


@pytest.mark.parametrize("usd", ["-0.01", "NaN", "Infinity"])
def test_a_price_that_is_no_amount_is_refused(usd: str) -> None:
    with pytest.raises(Invalid, match="not negative"):
        make_book("b", [price(usd=usd)])


def test_a_book_in_another_currency_is_refused() -> None:
    with pytest.raises(Invalid, match="EUR") as caught:
        make_book("b", [price()], currency="EUR")
    assert caught.value.errors[0].field == "currency"


def test_an_unknown_price_must_say_so() -> None:
    with pytest.raises(Invalid, match="kind unknown"):
        make_book("b", [price(usd=None, kind="list")])
    with pytest.raises(Invalid, match="kind unknown"):
        make_book("b", [price(kind="unknown")])


def test_an_empty_book_and_an_odd_calibration_are_refused() -> None:
    with pytest.raises(Invalid, match="empty"):
        make_book("b", [])
    with pytest.raises(Invalid, match=r"step\.moon"):
        make_book("b", [price()], calibration={"step.moon": Decimal(1)})
    with pytest.raises(Invalid, match=r"step\.scenario"):
        make_book("b", [price()], calibration={"step.scenario": Decimal(0)})


def test_a_line_that_cannot_be_read_is_named_with_its_number() -> None:
    good = "alb,us-east-1,hour,0.0225,list,2025-01-01,,x,"
    with pytest.raises(Invalid, match="line 3"):
        parse_book("list", text(good, good.replace("0.0225", "cheap")))
    with pytest.raises(Invalid, match="columns"):
        parse_book("list", "key,price\nalb,1\n")


def test_a_book_survives_being_written_and_read() -> None:
    book = load_book()
    name, written = dump_book(book)
    assert name == "list-2025-01-01.csv"
    assert parse_book("list", written).entries == book.entries


def test_a_refreshed_book_counts_from_its_day(tmp_path) -> None:  # type: ignore[no-untyped-def]
    book = load_book()
    dearer = {at: replace(p, valid_from=date(2026, 5, 1)) for at, p in book.entries.items()}
    dearer[("alb", "us-east-1")] = replace(dearer[("alb", "us-east-1")], usd=Decimal("0.03"))
    name, written = dump_book(replace(book, entries=dearer, dated=date(2026, 5, 1)))
    (tmp_path / name).write_text(written)
    (tmp_path / "list-notes.csv").write_text("not a book")
    assert current_book(tmp_path, date(2026, 4, 30)).price("alb", "us-east-1") == Decimal("0.0225")
    assert current_book(tmp_path, date(2026, 5, 1)).price("alb", "us-east-1") == Decimal("0.03")
    assert current_book(tmp_path / "nowhere", date(2026, 5, 1)) == book


def test_an_unknown_book_is_refused() -> None:
    with pytest.raises(Invalid, match="there is no price book 'dream'"):
        load_book("dream")


def test_both_books_have_every_needed_key() -> None:
    for name in ("list", REFERENCE):
        book = load_book(name)
        for region in book.regions:
            assert all(book.entry(key, region) is not None for key in needed_keys(name))


def test_the_difference_of_two_books_names_what_changed_and_how() -> None:
    old = make_book(
        "b", [price("a", "1"), price("b", "2"), price("c", None), price("d", "4"), price("e", "5")]
    )
    new = make_book(
        "b", [price("a", "1"), price("b", "3"), price("c", "3"), price("d", None), price("f", "6")]
    )
    changes = {c.key: (c.what, c.percent) for c in diff_books(old, new)}
    assert changes == {
        "b": ("changed", Decimal("50.0")),
        "c": ("became_known", None),
        "d": ("became_unknown", None),
        "e": ("removed", None),
        "f": ("added", None),
    }


def test_prices_outside_their_validity_are_listed() -> None:
    rows = [
        price("old", valid_until=date(2025, 6, 1)),
        price("coming", valid_from=date(2027, 1, 1)),
        price("good"),
    ]
    assert [p.key for p in make_book("b", rows).expired(date(2026, 1, 1))] == ["old", "coming"]
