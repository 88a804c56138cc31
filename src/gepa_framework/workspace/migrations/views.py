"""Making every view anew, as a step of a migration: a view holds nothing that could be lost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gepa_framework.workspace.views import creations


def renew_views() -> None:
    """Drop the views that there are, and create those of today."""
    there = op.get_bind().execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'view'"))
    for (name,) in there.fetchall():
        op.execute(sa.text(f"DROP VIEW {name}"))
    for statement in creations():
        # Not as a text for SQLAlchemy, which would take what follows a colon for a parameter.
        op.get_bind().exec_driver_sql(statement)
