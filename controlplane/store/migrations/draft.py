"""For engineers, after a change of `tables.py`.

`python -m controlplane.store.migrations.draft` writes the SQL of the first revision again: until the first
release only. `python -m controlplane.store.migrations.draft "what changes"` drafts the next revision; read
it, then add its number to `REVISIONS`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from controlplane.store.database import connect
from controlplane.store.migrate import METADATA, configuration, migrate
from controlplane.store.migrations import HEAD

FIRST = Path(__file__).parent / "versions" / "0001"
DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call]


def schema(dialect: Dialect) -> str:
    """All tables and indexes as SQL, in a stable order."""
    statements = []
    for table in METADATA.sorted_tables:
        statements.append(CreateTable(table).compile(dialect=dialect))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements.extend(CreateIndex(index).compile(dialect=dialect) for index in indexes)
    lines = (line.rstrip() for s in statements for line in f"{str(s).strip()};\n".splitlines())
    return "\n".join(lines) + "\n"


def freeze() -> None:
    FIRST.mkdir(exist_ok=True)
    for name, dialect in DIALECTS.items():
        (FIRST / f"{name}.sql").write_text(schema(dialect))


def revise(message: str) -> None:
    """Compare `tables.py` with a fresh catalog and write the difference down."""
    with TemporaryDirectory() as folder:
        db = connect(f"sqlite:///{folder}/draft.db")
        migrate(db)
        with db.engine.connect() as connection:
            following = f"{int(HEAD) + 1:04}"
            command.revision(configuration(connection), message, autogenerate=True, rev_id=following)
        db.close()


if __name__ == "__main__":
    revise(sys.argv[1]) if sys.argv[1:] else freeze()
