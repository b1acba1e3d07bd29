"""Alembic's environment. It runs on the connection that `store/migrate.py` hands over, in its transaction."""

from alembic import context

from controlplane.store.migrate import METADATA, is_ours

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    include_name=is_ours,
    user_module_prefix="columns.",
)
with context.begin_transaction():
    context.run_migrations()
