"""Rows as text: aligned columns for pipes, a table that fits the window for people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

_NOTHING = "-"
_WIDEST = 60  # what is longer stands out of its column, and moves nobody else's


def printable(text: str) -> str:
    """Without control characters: a name from outside never steers somebody's terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def cell(value: Any) -> str:
    """One value on one line."""
    if value is None or value in ("", {}, []):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={cell(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(cell(inner) for inner in value)
    return printable(str(value)).replace("\n", " ").replace("\t", " ")


def fields(view: Mapping[str, Any], names: Iterable[str] | None = None) -> str:
    """`name: value` lines, the values below each other."""
    wanted = list(view) if names is None else [name for name in names if name in view]
    width = max((len(name) for name in wanted), default=0) + 1
    return "\n".join(f"{name.replace('_', ' ') + ':':<{width}} {cell(view[name])}" for name in wanted)


def plain_table(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    widths = [min(_WIDEST, max(len(line[i]) for line in [titles, *rows])) for i in range(len(titles))]
    lines = [_line(line, widths, right) for line in [[t.upper() for t in titles], *rows]]
    return "\n".join(lines)


def csv_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """For spreadsheets: nothing is an empty cell, and text never becomes a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows([[_safe(value) for value in row] for row in rows])
    return out.getvalue()


def _safe(value: Any) -> str:
    text = "" if value in (None, "", {}, []) else cell(value)
    is_number = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_number else text


def _line(values: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = [v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True)]
    return "  ".join(padded).rstrip()


# A color says how a thing stands; the word beside it says the same to who sees none.
_COLORS = {
    "ready": "green",
    "succeeded": "green",
    "no_changes": "green",
    "failed": "red",
    "needs_operator": "bold red",
    "partially_applied": "red",
    "rejected": "red",
    "cancelled": "yellow",
    "awaiting_approval": "yellow",
    "awaiting_window": "yellow",
    "torn_down": "dim",
}


def color_of(word: str) -> str:
    return _COLORS.get(word, "cyan" if word.endswith("ing") else "")


_READABLE = 10  # of a cell that is folded: as narrow as a column becomes
_GAP = 3


def rich_table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    *,
    colored: bool,
    width: int | None = None,
) -> None:
    """As wide as the window. Nothing is cut off: what is long is folded, and where even that is too narrow
    each row stands by itself, a line for each of its values."""
    from rich import box  # noqa: PLC0415 - only a terminal needs it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(no_color=not colored, highlight=False, width=width)
    if _narrowest(titles, rows) > console.width:
        for row in rows:
            for label, value in _labelled(titles, row):
                console.print(label, Text(value, style=color_of(value)), sep="", soft_wrap=True)
            console.print()
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, (title, is_right) in enumerate(zip(titles, right, strict=True)):
        justify: Literal["left", "right"] = "right" if is_right else "left"
        least = min(_READABLE, _widest(number, titles, rows))
        table.add_column(title, justify=justify, overflow="fold", no_wrap=number == 0, min_width=least)
    for row in rows:
        table.add_row(*(Text(value, style=color_of(value)) for value in row))
    console.print(table)


def _labelled(titles: Sequence[str], row: Sequence[str]) -> list[tuple[str, str]]:
    """What there is of one row, the values below each other."""
    named = [(title, value) for title, value in zip(titles, row, strict=True) if value != _NOTHING]
    wide = max((len(title) for title, _ in named), default=0) + 1
    return [(f"{title + ':':<{wide}} ", value) for title, value in named]


def _narrowest(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The first column names the row, and stays whole."""
    first, *others = (_widest(number, titles, rows) for number in range(len(titles)))
    return first + sum(min(_READABLE, widest) + _GAP for widest in others)


def _widest(number: int, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    return max(len(line[number]) for line in (titles, *rows))
