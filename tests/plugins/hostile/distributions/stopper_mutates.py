"""Changes its configuration and what it is told of the run while it is built."""

from __future__ import annotations

import attrs

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo


@attrs.define
class Config:
    limits: dict[str, int] = attrs.Factory(lambda: {"a": 1})


plugin_info = PluginInfo(Kind.STOPPER, "stopper_mutates", ">=1.0,<2", config=Config)


class Never:
    def check(self, view):
        return None


@hookimpl
def gepa_make_stopper(config, context):
    config.limits["a"] = 2
    config.limits = {"b": 3}
    for mapping in (context.settings, context.environ):
        try:
            mapping["minibatch_size"] = "spoilt"
            mapping.clear()
        except (TypeError, AttributeError):
            continue
    return Never()
