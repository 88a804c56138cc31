"""How the cache was used, checkpoints, and no index that is looked up at each row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables."""
    op.execute("DROP INDEX IF EXISTS inputs_effect_id")
    op.add_column("inputs", sa.Column("access", sa.String))
    op.create_table(
        "checkpoints",
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("elapsed_us", sa.Integer, nullable=False),
        sa.Column("tallies", sa.Text, nullable=False),
    )
