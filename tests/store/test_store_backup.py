"""A backup is whole, private, taken while everybody works, and can be put back; a check finds damage."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from controlplane.adapters.dump import pg_dump
from controlplane.domain.errors import CatalogCorrupt, Invalid, Unavailable
from controlplane.durable import create_tables
from controlplane.sandbox.postgres import discover
from controlplane.store import slots, tenants
from controlplane.store.database import Database, connect, open_database
from controlplane.store.migrate import migrate
from controlplane.store.migrate.backup import backup
from controlplane.store.migrate.check import check
from controlplane.store.tables import Operation, Plan
from tests.store.store_rows import NOW, add_tenant


def _restored(db: Database, target: Path, fixture: Callable[[str], Any]) -> Database:
    """As an operator does it: the file is the catalog; a dump goes into an empty database."""
    if db.file:
        return open_database(f"sqlite:///{target}")
    url = fixture("postgres")()
    program = discover().program("pg_restore")
    subprocess.run([program, "--no-owner", f"--dbname={url}", target], check=True, timeout=120)
    return open_database(url)


def test_a_backup_taken_under_load_restores_to_a_whole_catalog(
    db: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with db.write() as session:
        add_tenant(session, 0, labels={"team": "a"})
    stop = threading.Event()

    def work() -> None:
        number = 1
        while not stop.is_set():
            with db.write() as session:  # always two
                add_tenant(session, number)
                add_tenant(session, number + 1)
            number += 2

    worker = threading.Thread(target=work)
    worker.start()
    target = tmp_path / "backup.db"
    try:
        for _ in range(3):
            backup(db, target, pg_dump)
    finally:
        stop.set()
        worker.join(60)
    restored = _restored(db, target, request.getfixturevalue)
    with restored.read() as session:
        assert tenants.count(session, tenants.TenantFilter()) % 2 == 1
        assert tenants.labels(session, "u0000000") == {"team": "a"}
    assert check(restored) == []
    with restored.write() as session:
        add_tenant(session, 90_000)
    restored.close()
    assert target.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_a_backup_that_fails_leaves_the_older_one_alone(migrated_file: Path, tmp_path: Path) -> None:
    file, target = tmp_path / "tenants.db", tmp_path / "backup.db"
    file.write_bytes(migrated_file.read_bytes())
    db = open_database(f"sqlite:///{file}")
    backup(db, target)
    before = target.read_bytes()
    db.close()
    content = bytearray(file.read_bytes())
    content[4096 * 2 : 4096 * 60] = b"\xff" * 4096 * 58
    file.write_bytes(content)
    with pytest.raises(CatalogCorrupt, match=r"tenants\.db"):
        backup(db, target)
    assert target.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} - {"tenants.db-wal", "tenants.db-shm"} == {
        "tenants.db",
        "backup.db",
    }


def test_a_backup_onto_the_catalog_or_into_nowhere_is_refused(sqlite_db: Database, tmp_path: Path) -> None:
    assert sqlite_db.file
    with pytest.raises(Invalid, match="itself"):
        backup(sqlite_db, sqlite_db.file)
    with pytest.raises(Invalid, match="no folder"):
        backup(sqlite_db, tmp_path / "none" / "backup.db")


@pytest.mark.postgres
def test_a_dump_without_pg_dump_says_what_to_install(postgres: Callable[..., str], tmp_path: Path) -> None:
    db = connect(postgres())
    with pytest.raises(Unavailable, match="pg_dump") as caught:
        backup(db, tmp_path / "backup.dump", partial(pg_dump, search=str(tmp_path)))
    assert "install" in caught.value.hint
    assert not (tmp_path / "backup.dump").exists()
    with pytest.raises(Invalid, match="pg_dump"):
        backup(db, tmp_path / "backup.dump")
    db.close()


@pytest.mark.postgres
def test_a_dump_of_a_server_that_refuses_is_unavailable_without_the_password(
    postgres: Callable[..., str], tmp_path: Path
) -> None:
    url = connect(postgres()).url.set(password="hunter2")
    with pytest.raises(Unavailable, match="exited 1") as caught:
        backup(connect(url.render_as_string(hide_password=False)), tmp_path / "backup.dump", pg_dump)
    assert "hunter2" not in str(caught.value.problem())
    assert not list(tmp_path.iterdir())


# --- check ------------------------------------------------------------------------------------------


def test_rows_that_point_to_nothing_are_found(db: Database) -> None:
    with db.write() as session:
        add_tenant(session, 1, phase="ready", epoch=2)
        session.add(Plan(id="p", operation_id="op-lost", run_id="r", meaning="m", binding="b",
                         render_digest="d", created_at=NOW))  # fmt: skip
        session.add(Operation(id="op", kind="create", workspace_id="w", plan_id="gone", requested_by="ann",
                              created_at=NOW))  # fmt: skip
    found = {(f.code, f.message) for f in check(db)}
    assert found == {
        ("orphan", "1 rows of plan point to no row of operation, such as op-lost"),
        ("orphan", "1 rows of operation point to no row of plan, such as gone"),
        ("route", "the route of tenant-00001 points to slot e2, which is not in the catalog"),
    }


def test_tables_that_somebody_changed_by_hand_are_found(db: Database) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE tenant ADD COLUMN colour INTEGER"))
        connection.execute(text("DROP INDEX tenant_cost"))
    messages = [f.message for f in check(db) if f.code == "schema"]
    assert len(messages) == 2
    assert any("colour" in m for m in messages)
    assert any("tenant_cost" in m for m in messages)


def test_a_broken_foreign_key_and_a_lost_journal_mode_are_found(sqlite_db: Database) -> None:
    with sqlite_db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("INSERT INTO tenant_label VALUES ('nobody', 'team', 'a')")
        connection.commit()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    assert [f.code for f in check(sqlite_db)] == ["foreign_key", "journal"]
    assert migrate(sqlite_db) is False
    assert [f.code for f in check(sqlite_db)] == ["foreign_key"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_durable_engine_lives_in_the_same_database_and_is_no_finding(url: str) -> None:
    create_tables(url)
    db = open_database(url)
    assert check(db) == []
    assert migrate(db) is False
    with db.write() as session:
        add_tenant(session, 1)
        assert slots.every(session, "u0000001") == []
    db.close()
