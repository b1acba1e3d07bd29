"""Every table of the first release. Its SQL is frozen in the folder `0001`, one file per database."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    sql = Path(__file__).with_name(revision) / f"{connection.dialect.name}.sql"
    for statement in sql.read_text().split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
