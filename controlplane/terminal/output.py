"""What people and scripts read: data on stdout in five forms, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TextIO

from controlplane.terminal import tables

Row = Mapping[str, Any]


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    CSV = "csv"


@dataclass(frozen=True)
class Column:
    """One column of a list: its title, and where its value stands in a row."""

    title: str
    value: str | Callable[[Row], Any]
    right: bool = False

    def of(self, row: Row) -> str:
        return tables.cell(self.raw(row))

    def raw(self, row: Row) -> Any:
        return self.value(row) if callable(self.value) else row.get(self.value)


@dataclass
class Printer:
    """Knows the wanted form; plain text where nobody looks at a terminal."""

    form: Form = Form.TABLE
    quiet: bool = False
    colored: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    # --- data

    def page(self, answer: Row, columns: Sequence[Column], name: str) -> None:
        """A list as it was answered. `name`: which field names an item."""
        items = answer["items"]
        if self.form is Form.TABLE:
            self._list(items, columns, answer.get("next_page_token"))
        elif self.form is Form.CSV:
            self.csv([column.title for column in columns], [[c.raw(item) for c in columns] for item in items])
        else:
            self._machine(answer, [str(item[name]) for item in items])

    def one(self, view: Row, name: str, sections: Callable[[Row], str] | None = None) -> None:
        """One thing. `sections` lays it out for people; without it every field is a line."""
        if self.form is Form.TABLE:
            self.text(sections(view) if sections else tables.fields(view))
        elif self.form is Form.CSV:
            self.csv(list(view), [list(view.values())])
        else:
            self._machine(view, [str(view[name])])

    def csv(self, titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.text(tables.csv_table(titles, rows))

    def text(self, text: str) -> None:
        print(text.rstrip("\n"), file=self.out)

    def _machine(self, answer: Any, names: Sequence[str]) -> None:
        if self.form is Form.NAME:
            for name in names:
                self.text(name)
        elif self.form is Form.YAML:
            import yaml  # noqa: PLC0415 - costs start-up time, and is rarely wanted

            self.text(yaml.safe_dump(answer, sort_keys=False, allow_unicode=True))
        else:
            self.text(json.dumps(answer, indent=2, ensure_ascii=False))

    def _list(self, items: Sequence[Row], columns: Sequence[Column], token: Any) -> None:
        if not items:
            return self.note("nothing to list")
        rows = [[column.of(item) for column in columns] for item in items]
        titles = [column.title for column in columns]
        if self.out.isatty():
            tables.rich_table(titles, rows, [c.right for c in columns], colored=self.colored)
        else:
            self.text(tables.plain_table(titles, rows, [c.right for c in columns]))
        if token:
            self.note(f"there is more: --page-token {token}")
        return None

    # --- everything else

    def note(self, text: str) -> None:
        """Progress and remarks; silent with -q."""
        if not self.quiet:
            print(tables.printable(text), file=self.err)

    def warn(self, text: str) -> None:
        print(self._tinted(f"warning: {tables.printable(text)}", "33"), file=self.err)

    def error(self, message: str, hint: str = "") -> None:
        print(self._tinted("error: ", "31") + tables.printable(message), file=self.err)
        if hint:
            print(f"  next: {tables.printable(hint)}", file=self.err)

    def _tinted(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colored and self.err.isatty() else text
