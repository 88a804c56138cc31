"""The contract with third parties: the hooks that a plugin may implement.

A plugin is a module, named by an entry point of the group of its kind, that carries a constant
``plugin_info`` (:class:`gepa_framework.types.PluginInfo`) and one function marked with ``@hookimpl``.
"""

from __future__ import annotations

import pluggy

PROJECT = "gepa_framework"
#: Version of the hooks and Protocols; `PluginInfo.api` is a range that must hold it.
API_VERSION = "1.0"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

__all__ = ["API_VERSION", "PROJECT", "hookimpl", "hookspec"]
