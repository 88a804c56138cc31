"""Where Alembic meets a workspace: the connection is handed over by whoever migrates."""

from __future__ import annotations

from alembic import context

from gepa_framework.workspace.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
