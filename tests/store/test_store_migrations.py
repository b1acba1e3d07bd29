"""A catalog is made, brought up to date and recognised; tables and migrations say the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Index, Integer, MetaData, text

from controlplane.domain.errors import CatalogOutdated, CatalogTooNew, Unavailable
from controlplane.store import migrations
from controlplane.store.database import Database, connect, open_database
from controlplane.store.migrate import METADATA, is_ours, migrate
from controlplane.store.migrate.check import check, schema_differences
from controlplane.store.migrations import HEAD, REVISIONS, draft
from controlplane.store.tables import HOLDING

REGENERATE = "python -m controlplane.store.migrations.draft"


def test_migrations_make_exactly_the_tables_of_the_program(db: Database) -> None:
    with db.engine.connect() as connection:
        assert schema_differences(connection) == [], f"tables.py changed: {REGENERATE}"


def test_the_first_revision_is_written_again_after_a_change_of_tables() -> None:
    if len(REVISIONS) > 1:
        pytest.skip("released: a change is a revision of its own")
    for name, dialect in draft.DIALECTS.items():
        assert (draft.FIRST / f"{name}.sql").read_text() == draft.schema(dialect), f"run {REGENERATE}"


def _with_a_column(metadata: MetaData) -> None:
    metadata.tables["tenant"].append_column(Column("colour", Integer))


def _with_an_index(metadata: MetaData) -> None:
    Index("tenant_colour", metadata.tables["tenant"].c.cell)


def _without_null(metadata: MetaData) -> None:
    metadata.tables["tenant"].c.monthly_usd.nullable = False


def _with_another_type(metadata: MetaData) -> None:
    metadata.tables["tenant"].c.slug.type = Integer()


@pytest.mark.parametrize("change", [_with_a_column, _with_an_index, _without_null, _with_another_type])
def test_a_changed_table_without_a_migration_is_noticed(db: Database, change: object) -> None:
    changed = MetaData()
    for table in METADATA.sorted_tables:
        table.to_metadata(changed)
    change(changed)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(context, changed)


def test_one_operation_holds_a_workspace_by_an_index_over_the_holding_statuses(db: Database) -> None:
    catalogue = {"sqlite": "SELECT sql FROM sqlite_master", "postgresql": "SELECT indexdef FROM pg_indexes"}
    name = {"sqlite": "name", "postgresql": "indexname"}[db.engine.dialect.name]
    query = f"{catalogue[db.engine.dialect.name]} WHERE {name} = 'operation_one_active'"
    with db.engine.connect() as connection:
        definition = connection.execute(text(query)).scalar()
    assert "UNIQUE" in definition
    assert all(status in definition.partition("WHERE")[2] for status in HOLDING.split(","))


def test_revisions_known_without_alembic_are_the_ones_on_disk() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert [s.revision for s in reversed(list(scripts.walk_revisions()))] == list(REVISIONS)
    assert scripts.get_heads() == [HEAD]


def test_a_fresh_catalog_is_made_once(empty_url: str) -> None:
    db = connect(empty_url)
    assert db.revision() is None
    assert migrate(db) is True
    assert migrate(db) is False
    assert db.revision() == HEAD
    assert check(db) == []
    db.close()


def test_an_older_catalog_is_refused_with_the_command_and_then_migrated(empty_url: str) -> None:
    db = connect(empty_url)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    with pytest.raises(CatalogOutdated) as caught:
        open_database(empty_url)
    assert "controlplane db migrate" in caught.value.hint
    assert migrate(db) is True
    open_database(empty_url).close()
    db.close()


def test_a_catalog_of_a_newer_program_is_neither_opened_nor_migrated(url: str) -> None:
    db = connect(url)
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CatalogTooNew, match="9999"):
        open_database(url)
    with pytest.raises(CatalogTooNew, match="9999"):
        migrate(db)
    assert [f.code for f in check(db)] == ["catalog_too_new"]
    db.close()


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    db = connect(empty_url)
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE wave (id INTEGER)")  # in the way of ours
    with pytest.raises(Exception, match="wave"):
        migrate(db)
    assert db.revision() is None
    with db.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "tenant")
    db.close()


_MIGRATE = """
import sys
from controlplane.store.database import connect
from controlplane.store.migrate import migrate
sys.stdin.readline()
print(migrate(connect(sys.argv[1])))
"""


def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=120)[0].strip() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert sorted(said) == ["False", "False", "False", "True"]


def test_the_engine_tables_beside_ours_are_left_alone(db: Database) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE workflow_status (id INTEGER)")
    with db.engine.connect() as connection:
        assert schema_differences(connection) == []


def test_a_folder_that_is_missing_is_named_and_odd_characters_are_fine(tmp_path: Path) -> None:
    db = connect(f"sqlite:///{tmp_path}/100%/tenants.db")
    with pytest.raises(Unavailable, match="100%"):
        migrate(db)
    (tmp_path / "100%").mkdir()
    assert migrate(db)
    db.close()


def test_opening_a_catalog_does_not_import_alembic(url: str) -> None:
    code = (
        "import sys; from controlplane.store.database import open_database; "
        "open_database(sys.argv[1]).close(); assert 'alembic' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, url], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
