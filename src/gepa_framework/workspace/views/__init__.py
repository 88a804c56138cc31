"""The views of a workspace: the whole record of a run as typed rows, without JSON to be parsed by a reader.

A view is a query of the journal. It holds nothing of its own, so it is as new as the last commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from gepa_framework.workspace.views import (
    candidates,
    frontier,
    iterations,
    limits,
    links,
    manifests,
    proposals,
    rollouts,
    scores,
    states,
    usage,
)

_MODULES: Final = (
    candidates,
    frontier,
    iterations,
    proposals,
    rollouts,
    scores,
    usage,
    limits,
    states,
    links,
    manifests,
)

#: Name to query. A view may use those before it.
VIEWS: Final[Mapping[str, str]] = MappingProxyType(
    {name: query for module in _MODULES for name, query in module.VIEWS.items()}
)


def creations() -> Iterator[str]:
    """Give the statements that create every view."""
    for name, query in VIEWS.items():
        yield f"CREATE VIEW {name} AS {' '.join(query.split())}"
