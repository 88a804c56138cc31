"""Plugins: found by metadata, loaded by name, called one at a time."""

from __future__ import annotations

from gepa_framework.plugins.commands import ExtraCommands
from gepa_framework.plugins.facade import Plugins
from gepa_framework.plugins.found import Found, State
from gepa_framework.plugins.info import RESERVED
from gepa_framework.plugins.loader import LoadedPlugin
from gepa_framework.plugins.lock import compare_lock, read_lock, write_lock
from gepa_framework.plugins.probe import Probed, probe

__all__ = [
    "RESERVED",
    "ExtraCommands",
    "Found",
    "LoadedPlugin",
    "Plugins",
    "Probed",
    "State",
    "compare_lock",
    "probe",
    "read_lock",
    "write_lock",
]
