"""Every view anew."""

from __future__ import annotations

from gepa_framework.workspace.migrations.views import renew_views

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the views."""
    renew_views()
