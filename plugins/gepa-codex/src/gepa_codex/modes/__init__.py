"""Modes: how evidence reaches the model, and what the model may do while it thinks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gepa_codex.modes.base import Mode
from gepa_codex.modes.inline import Inline

#: Every mode by its name in ``[proposer] mode``.
MODES: Mapping[str, Mode] = MappingProxyType({mode.name: mode for mode in (Inline(),)})

__all__ = ["MODES", "Mode"]
