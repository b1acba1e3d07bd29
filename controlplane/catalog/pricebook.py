"""Price books from data: `list` (the product's) and `reference` (the calibrated one), and refreshed ones.

A book is a CSV, one price a row. `keys.csv` says which keys a book must have: a hole is refused at load.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

from controlplane.catalog.prices import FOLDER
from controlplane.domain.cost.book import CURRENCY, Price, PriceBook, make_book
from controlplane.domain.cost.estimate import plain
from controlplane.domain.errors import FieldError, Invalid

LIST, REFERENCE = "list", "reference"
COLUMNS = ("key", "region", "unit", "usd", "kind", "valid_from", "valid_until", "source", "note")
_DATED = re.compile(r"list-(\d{4}-\d{2}-\d{2})\.csv")


@cache
def load_book(name: str = LIST) -> PriceBook:
    """A book that ships, checked."""
    header = _headers().get(name)
    if header is None:
        known = ", ".join(_headers())
        raise Invalid(
            f"there is no price book {name!r}: {known}", errors=[FieldError("book", f"unknown: {name!r}")]
        )
    return parse_book(name, (FOLDER / f"{name}.csv").read_text(encoding="utf-8"))


def current_book(folder: Path, today: date) -> PriceBook:
    """The newest refreshed list book in `folder` that is dated today or before, else the one that ships."""
    dated = []
    for path in sorted(folder.glob("list-*.csv")) if folder.is_dir() else []:
        match = _DATED.fullmatch(path.name)
        if match and date.fromisoformat(match[1]) <= today:
            dated.append((date.fromisoformat(match[1]), path))
    if not dated:
        return load_book(LIST)
    return parse_book(LIST, max(dated)[1].read_text(encoding="utf-8"))


def parse_book(name: str, text: str) -> PriceBook:
    """A book from CSV text, with the calibration of its name."""
    header = _headers().get(name, {})
    calibration = header.get("calibration", {})
    return make_book(
        name,
        _prices(name, text),
        needed=needed_keys(name),
        calibration={key: Decimal(value) for key, value in calibration.items()},
        currency=str(header.get("currency", CURRENCY)),
    )


def dump_book(book: PriceBook) -> tuple[str, str]:
    """File name and CSV text of a refreshed book; `current_book` finds it again by the name."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for p in book.entries.values():
        until = p.valid_until.isoformat() if p.valid_until else ""
        usd = "" if p.usd is None else plain(p.usd)
        writer.writerow(
            [p.key, p.region, p.unit, usd, p.kind, p.valid_from.isoformat(), until, p.source, p.note]
        )
    return f"{book.name}-{book.dated.isoformat()}.csv", out.getvalue()


def needed_keys(name: str) -> tuple[str, ...]:
    return tuple(key for key, needed_in in _keys() if needed_in in ("every book", name))


@cache
def _keys() -> tuple[tuple[str, str], ...]:
    text = (FOLDER / "keys.csv").read_text(encoding="utf-8")
    return tuple((row["key"], row["needed_in"]) for row in csv.DictReader(io.StringIO(text)))


@cache
def _headers() -> Mapping[str, Mapping[str, dict[str, str]]]:
    return tomllib.loads((FOLDER / "books.toml").read_text(encoding="utf-8"))


def _prices(name: str, text: str) -> Iterator[Price]:
    rows = csv.reader(io.StringIO(text))
    if tuple(next(rows, ())) != COLUMNS:
        message = f"the price book {name!r} must have the columns {', '.join(COLUMNS)}"
        raise Invalid(message, errors=[FieldError("columns", message)])
    for number, row in enumerate(rows, start=2):
        yield _price(name, number, row)


def _price(name: str, number: int, row: list[str]) -> Price:
    try:
        key, region, unit, usd, kind, begins, ends, source, note = row
        figure = Decimal(usd) if usd else None
        until = date.fromisoformat(ends) if ends else None
        return Price(key, region, unit, figure, kind, date.fromisoformat(begins), until, source, note)
    except (ValueError, InvalidOperation) as error:
        message = f"line {number} of the price book {name!r} cannot be read: {error}"
        raise Invalid(message, errors=[FieldError(f"line {number}", str(error))]) from error
