"""Which checks follow a switch, by blueprint: an operator's file, beside the SQL files that it names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from controlplane.catalog.toml_files import Table, read
from controlplane.domain.migration.smoke import SLUG, SmokeChecks, SqlCheck, UrlCheck

_SQL_SECONDS, _URL_SECONDS, _MOST_SECONDS = 30, 120, 3600
_LONGEST_SQL = 64 * 1024


def read_smoke_checks(file: Path, blueprints: Collection[str]) -> dict[str, SmokeChecks]:
    """Read as a whole, SQL too: what is missing is found when a worker starts, not behind a switch."""
    table = read(file, hint="mend CONTROLPLANE_SMOKE_FILE (docs/migration.md)")
    return {name: _read(child, file.parent) for name, child in table.children(sorted(blueprints))}


def _read(table: Table, folder: Path) -> SmokeChecks:
    checks = SmokeChecks(
        tuple(_sql(child, folder) for child in table.tables("sql")),
        tuple(_url(child) for child in table.tables("url")),
    )
    names = [check.name for check in checks.sql] + [check.name for check in checks.urls]
    for name in names:
        if names.count(name) > 1:
            table.fail("name", f"two checks are named {name!r}")
    table.done()
    return checks


def _sql(table: Table, folder: Path) -> SqlCheck:
    name, file = table.text("name"), table.text("file")
    seconds = table.number("seconds", 1, _MOST_SECONDS, _SQL_SECONDS)
    try:
        statements = (folder / file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        table.fail("file", f"{file}: {error}")
    if not statements.strip() or len(statements) > _LONGEST_SQL:
        table.fail("file", f"{file} is empty or longer than {_LONGEST_SQL} characters")
    table.done()
    return SqlCheck(name, statements, seconds)


def _url(table: Table) -> UrlCheck:
    check = UrlCheck(
        name=table.text("name"),
        url=table.text("url"),
        status=table.number("status", 100, 599, 200),
        contains=table.text("contains", default=""),
        seconds=table.number("seconds", 1, _MOST_SECONDS, _URL_SECONDS),
    )
    if not check.url.startswith(("https://", "http://")) or set("{}") & set(check.url.replace(SLUG, "")):
        table.fail("url", f"is {check.url!r}; allowed: https://…, with {SLUG} where the tenant's name stands")
    table.done()
    return check
