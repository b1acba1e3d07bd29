"""The catalog's revisions, oldest first, readable without Alembic: a plain read must start fast."""

REVISIONS = ("0001",)
HEAD = REVISIONS[-1]
