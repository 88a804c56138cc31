"""The JSON Schema of the configuration, out of the same attrs classes that it is structured into."""

from __future__ import annotations

from gepa_framework.config.schema.document import DIALECT, KINDS, TITLE, config_schema
from gepa_framework.config.schema.tables import PluginKeys

__all__ = ["DIALECT", "KINDS", "TITLE", "PluginKeys", "config_schema"]
