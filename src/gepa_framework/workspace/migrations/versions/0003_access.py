"""How the cache was used, checkpoints, and no index that is looked up at each row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gepa_framework.workspace.schema import VIEWS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change the tables, and make every view anew: a view holds nothing that could be lost."""
    there = op.get_bind().execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'view'"))
    for (name,) in there.fetchall():
        op.execute(f"DROP VIEW {name}")
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
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
