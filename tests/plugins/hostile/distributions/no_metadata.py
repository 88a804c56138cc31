"""Has no plugin_info."""

from __future__ import annotations

from gepa_framework.hookspecs import hookimpl


@hookimpl
def gepa_make_stopper(config, context): ...
