"""The operator's file of checks: read whole, and refused by name where it cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.catalog.smoke_files import read_smoke_checks
from controlplane.domain.errors import Invalid
from controlplane.domain.migration.evidence import Page
from controlplane.domain.migration.smoke import UrlCheck

BLUEPRINTS = ("one", "other")
CHECKS = """
[[one.sql]]
name = "orders can be read"
file = "sql/orders.sql"

[[one.url]]
name = "it answers"
url = "https://{slug}.example.com/health"
contains = "ok"
seconds = 5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "orders.sql").write_text("SELECT count(*) > 0 FROM orders")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    file = folder / "smoke.toml"
    file.write_text(text)
    return file


def test_checks_are_read_with_the_sql_that_they_name(folder: Path) -> None:
    read = read_smoke_checks(write(folder, CHECKS), BLUEPRINTS)
    assert list(read) == ["one"]
    [sql], [url] = read["one"].sql, read["one"].urls
    assert (sql.name, sql.statements, sql.seconds) == (
        "orders can be read",
        "SELECT count(*) > 0 FROM orders",
        30,
    )
    assert (url.status, url.seconds, url.url_of("acme")) == (200, 5, "https://acme.example.com/health")


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("[[one.sql]]", "[[third.sql]]", "third"),
        ("sql/orders.sql", "sql/missing.sql", "missing.sql"),
        ("seconds = 5", "seconds = 0", "seconds"),
        ("seconds = 5", "status = 99", "status"),
        ("seconds = 5", "secnods = 5", "secnods"),
        ("https://", "file://", "https://…"),
        ("{slug}", "{uid}", "{slug} where"),
        ('"it answers"', '"orders can be read"', "two checks"),
        ("[[one.url]]", "[[one.page]]", "page"),
    ],
)
def test_what_cannot_be_meant_is_named(folder: Path, was: str, becomes: str, said: str) -> None:
    assert was in CHECKS
    with pytest.raises(Invalid) as caught:
        read_smoke_checks(write(folder, CHECKS.replace(was, becomes)), BLUEPRINTS)
    assert said in caught.value.message


def test_an_empty_sql_file_checks_nothing_and_is_refused(folder: Path) -> None:
    (folder / "sql" / "orders.sql").write_text(" \n")
    with pytest.raises(Invalid, match="empty"):
        read_smoke_checks(write(folder, CHECKS), BLUEPRINTS)


def test_a_file_that_is_not_there_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        read_smoke_checks(tmp_path / "none.toml", BLUEPRINTS)
    assert "CONTROLPLANE_SMOKE_FILE" in caught.value.hint


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (Page(200, "all ok"), ""),
        (Page(200, "all well"), "its page does not contain 'ok'"),
        (Page(301, "ok"), "it answers 301 instead of 200"),
        (Page(None, problem="no answer within 5 s"), "no answer within 5 s"),
    ],
)
def test_a_page_passes_by_its_status_and_its_words(page: Page, problem: str) -> None:
    assert UrlCheck("it answers", "https://example.com/", 200, "ok", 5).problem(page) == problem
