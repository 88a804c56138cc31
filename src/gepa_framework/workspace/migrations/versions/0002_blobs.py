"""Texts by their digest, and the views as they are now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gepa_framework.workspace.schema import VIEWS

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of texts, and every view anew: a view holds nothing that could be lost."""
    op.create_table(
        "blobs",
        sa.Column("sha256", sa.String, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    for name, query in VIEWS.items():
        op.execute(f"DROP VIEW IF EXISTS {name}")
        op.execute(f"CREATE VIEW {name} AS {query}")
