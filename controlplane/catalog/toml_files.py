"""Reading TOML with care: whatever is wrong is named with its file, its field and what may stand there."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from controlplane.domain.errors import FieldError, Invalid


class Table:
    """One table of a file. Every field is asked for; `done` refuses the ones nobody asked for."""

    def __init__(self, file: str, path: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self.path = path
        self.values = values
        self._asked: set[str] = set()

    def fail(self, key: str, message: str) -> NoReturn:
        field = f"{self.path}.{key}" if self.path else key
        raise Invalid(f"{self.file}: {field}: {message}", errors=[FieldError(field, message)])

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        self._asked.add(key)
        value = self.values.get(key, default)
        if value is None:
            self.fail(key, "is missing")
        # A TOML boolean is a Python int as well; nobody means that.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"is {value!r}, which is not of type {kind.__name__}")
        return value

    def text(self, key: str, allowed: Iterable[str] = (), default: str | None = None) -> str:
        value: str = self.get(key, str, default)
        self._check_allowed(key, value, tuple(allowed))
        return value

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value: int = self.get(key, int, default)
        if not low <= value <= high:
            self.fail(key, f"is {value}; allowed: {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        value: bool = self.get(key, bool)
        return value

    def texts(self, key: str, allowed: Iterable[str] = ()) -> tuple[str, ...]:
        values: list[Any] = self.get(key, list)
        choice = tuple(allowed)
        for value in values:
            if not isinstance(value, str):
                self.fail(key, f"holds {value!r}, which is not text")
            self._check_allowed(key, value, choice)
        return tuple(values)

    def anything(self, key: str) -> Any:
        self._asked.add(key)
        return self.values.get(key)

    def table(self, key: str) -> Table:
        return Table(self.file, f"{self.path}.{key}".lstrip("."), self.get(key, dict, {}))

    def tables(self, key: str) -> list[Table]:
        items: list[Any] = self.get(key, list, [])
        if not all(isinstance(item, dict) for item in items):
            self.fail(key, "is not a list of tables")
        return [
            Table(self.file, f"{self.path}.{key}[{index}]".lstrip("."), item)
            for index, item in enumerate(items)
        ]

    def children(self, allowed: Iterable[str] = ()) -> Iterator[tuple[str, Table]]:
        """Every field as a table of its own, as in a file of named things."""
        choice = tuple(allowed)
        for key in self.values:
            self._check_allowed(key, key, choice)
            yield key, self.table(key)

    def done(self) -> None:
        for key in sorted(set(self.values) - self._asked):
            self.fail(key, f"is not a field here; allowed: {', '.join(sorted(self._asked))}")

    def _check_allowed(self, key: str, value: str, allowed: tuple[str, ...]) -> None:
        if allowed and value not in allowed:
            self.fail(key, f"is {value!r}; allowed: {', '.join(sorted(allowed))}")


def read(file: Path, hint: str = "mend the file; it is part of the catalog") -> Table:
    """The whole file as a table named after it."""
    name = f"{file.parent.name}/{file.name}"
    try:
        return Table(name, "", tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"reading {name}: {error}", hint=hint) from error
