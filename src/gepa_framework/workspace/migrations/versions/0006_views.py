"""Views of manifests, of comparisons on the frontier, of what is said of traces and of who was asked."""

from __future__ import annotations

from gepa_framework.workspace.migrations.views import renew_views

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the views."""
    renew_views()
