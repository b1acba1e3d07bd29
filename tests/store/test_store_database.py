"""Sessions keep their promises, and what goes wrong is said in our words, with the next step."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from controlplane.domain.errors import (
    CatalogCorrupt,
    CatalogOutdated,
    ControlPlaneError,
    Invalid,
    Unavailable,
)
from controlplane.sandbox.postgres import free_port
from controlplane.store import tenants
from controlplane.store.database import Database, connect, open_database
from controlplane.store.migrate import migrate
from controlplane.store.migrate.check import check
from controlplane.store.tables import Wave
from tests.store.store_rows import add_tenant


@pytest.fixture
def impatient(url: str) -> Iterator[Database]:
    """Waits a second for a lock."""
    opened = connect(url, wait_seconds=1)
    yield opened
    opened.close()


# --- sessions ---------------------------------------------------------------------------------------


def test_what_is_written_is_there_after_the_session_and_not_when_it_raised(db: Database) -> None:
    with db.write() as session:
        add_tenant(session, 1)
    with pytest.raises(RuntimeError), db.write() as session:
        add_tenant(session, 2)
        raise RuntimeError
    with db.read() as session:
        assert tenants.count(session, tenants.TenantFilter()) == 1


def test_an_open_reader_neither_blocks_a_writer_nor_sees_the_past(db: Database, impatient: Database) -> None:
    with db.write() as session:
        add_tenant(session, 1)
    with db.read() as reader:
        half_read = reader.execute(text("SELECT uid FROM tenant"))
        with impatient.write() as session:
            add_tenant(session, 2)
        half_read.close()
        assert tenants.count(reader, tenants.TenantFilter()) == 2


def test_a_session_that_only_reads_so_far_holds_nothing(db: Database, impatient: Database) -> None:
    with db.write() as session:
        tenants.count(session, tenants.TenantFilter())
        with impatient.write() as other:
            add_tenant(other, 1)
        add_tenant(session, 2)
    with db.read() as session:
        assert tenants.count(session, tenants.TenantFilter()) == 2


def test_writing_in_a_read_session_is_an_error_and_not_a_loss(db: Database) -> None:
    with pytest.raises(RuntimeError, match="read session"), db.read() as session:
        session.add(Wave(id="w"))


def test_a_savepoint_does_not_commit_its_transaction(db: Database) -> None:
    with pytest.raises(RuntimeError), db.write() as session:
        with session.begin_nested():
            add_tenant(session, 1)
        raise RuntimeError
    with db.write() as session:
        with pytest.raises(ValueError, match="inner"), session.begin_nested():
            add_tenant(session, 2)
            raise ValueError("inner")
        add_tenant(session, 3)
    with db.read() as session:
        assert [r.slug for r in tenants.page(session, tenants.TenantFilter()).items] == ["tenant-00003"]


def test_foreign_keys_hold_in_every_session(db: Database) -> None:
    for _ in range(3):
        with pytest.raises(Exception, match=r"(?i)foreign key"), db.write() as session:
            session.execute(text("INSERT INTO tenant_label VALUES ('nobody', 'team', 'a')"))


def test_many_threads_write_and_none_is_turned_away(db: Database) -> None:
    def write(number: int) -> None:
        for step in range(5):
            with db.write() as session:
                add_tenant(session, number * 100 + step)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    with db.read() as session:
        assert tenants.count(session, tenants.TenantFilter()) == 60


# --- what goes wrong --------------------------------------------------------------------------------


def test_a_lock_that_is_held_too_long_is_unavailable_and_may_be_tried_again(
    db: Database, impatient: Database
) -> None:
    with db.write() as session:
        uid = add_tenant(session, 1).uid
    with db.write() as session:
        tenants.hold(session, uid)
        with pytest.raises(Unavailable, match="held") as caught, impatient.write() as other:
            tenants.hold(other, uid)
    assert caught.value.retryable
    with impatient.write() as other:
        tenants.hold(other, uid)


def test_a_catalog_that_is_not_there_says_how_to_make_it_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CatalogOutdated) as caught:
        open_database(f"sqlite:///{tmp_path}/none.db")
    assert "db migrate" in caught.value.hint
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "url", ["", "x", "mysql://h/d", "sqlite://", "sqlite:///:memory:", "oracle:x", "postgresql://u:p@h:x/d"]
)
def test_a_url_that_names_no_catalog_is_invalid(url: str) -> None:
    with pytest.raises(Invalid, match="catalog"):
        open_database(url)


def _garbage(file: Path) -> None:
    file.write_bytes(b"this is not a database" * 1000)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:3000])


def _zeroes(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096 : 4096 * 60] = bytes(4096 * 59)
    file.write_bytes(content)


def _read_all(url: str) -> None:
    with open_database(url).read() as session:
        tenants.page(session, tenants.TenantFilter())


@pytest.mark.parametrize("damage", [_garbage, _cut, _zeroes])
def test_a_damaged_file_is_named_with_the_way_back(
    migrated_file: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    file = tmp_path / "tenants.db"
    file.write_bytes(migrated_file.read_bytes())
    damage(file)
    with pytest.raises(CatalogCorrupt, match=r"tenants\.db") as caught:
        _read_all(f"sqlite:///{file}")
    assert "backup" in caught.value.hint
    findings = check(connect(f"sqlite:///{file}"))
    assert findings
    assert findings[0].hint


def test_a_full_disk_is_named_and_costs_nothing_that_was_written(sqlite_db: Database) -> None:
    pages = []

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages.append(connection.execute("PRAGMA page_count").fetchone()[0])
        connection.execute(f"PRAGMA max_page_count = {pages[-1]}")

    with sqlite_db.write() as session:
        add_tenant(session, 0)
    sqlite_db.close()
    event.listen(sqlite_db.engine, "connect", limit)
    with pytest.raises(Unavailable, match="disk is full") as caught, sqlite_db.write() as session:
        add_tenant(session, 1, display_name="x" * 200_000)
    assert str(sqlite_db.file) in caught.value.message
    assert "free space" in caught.value.hint
    event.remove(sqlite_db.engine, "connect", limit)
    sqlite_db.close()
    with sqlite_db.write() as session:
        add_tenant(session, 2, display_name="x" * 200_000)
        assert tenants.find(session, "tenant-00001") is None
    assert check(sqlite_db) == []


_WRITE_PAST_THE_LIMIT = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from tests.store.store_rows import add_tenant
from controlplane.domain.errors import Unavailable
from controlplane.store.database import open_database
from controlplane.store.migrate.check import check
db = open_database(sys.argv[1])
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (db.file.stat().st_size + 100_000, most))
try:
    for number in range(1000):
        with db.write() as session:
            add_tenant(session, number, display_name="x" * 5000)
        kept = number
except Unavailable as error:
    print(error.message, error.hint)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
with db.write() as session:
    add_tenant(session, 2000)
print(check(db), kept > 0)
"""


def test_a_file_that_may_not_grow_is_unavailable_and_whole_afterwards(sqlite_db: Database) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WRITE_PAST_THE_LIMIT, str(sqlite_db.url), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, end = done.stdout.splitlines()
    assert str(sqlite_db.file) in said
    assert "disk" in said
    assert end == "[] True"


def test_a_file_that_may_not_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "tenants.db").mkdir()
    with pytest.raises(Unavailable, match=r"tenants\.db"):
        open_database(f"sqlite:///{tmp_path}/tenants.db")


@pytest.mark.postgres
def test_a_server_that_refuses_or_is_not_there_is_unavailable_without_the_password(
    postgres: Callable[..., str],
) -> None:
    url = connect(postgres()).url
    for wrong in (url.set(password="hunter2"), url.set(port=free_port()), url.set(database="none")):
        with pytest.raises(Unavailable) as caught:
            open_database(wrong.render_as_string(hide_password=False))
        told = str(caught.value.problem())
        assert "hunter2" not in told
        assert str(url.password) not in told
        assert caught.value.hint


@pytest.mark.postgres
def test_a_connection_that_the_server_ends_is_replaced(postgres: Callable[..., str]) -> None:
    db = connect(postgres())
    migrate(db)
    kill = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    killer = connect(db.url.render_as_string(hide_password=False))
    with pytest.raises(Unavailable), db.write() as session:
        add_tenant(session, 1)
        with killer.read() as admin:
            admin.execute(kill)
        add_tenant(session, 2)
    with db.write() as session:
        add_tenant(session, 3)
        assert tenants.find(session, "tenant-00001") is None
    killer.close()
    db.close()


def test_nul_in_text_is_invalid_or_kept_but_never_a_crash(db: Database) -> None:
    try:
        with db.write() as session:
            add_tenant(session, 1, display_name="a\x00b")
        with db.read() as session:
            assert tenants.by_uid(session, "u0000001").display_name == "a\x00b"
    except ControlPlaneError as error:
        assert isinstance(error, Invalid)
