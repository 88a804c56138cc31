"""Makes test classes out of plugins that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Capability, Kind, PluginInfo


def plugin_of(kind: Kind, made: Any, *capabilities: Capability, name: str = "honest") -> SimpleNamespace:
    """Give a plugin that builds objects of a class, which are given the context."""
    info = PluginInfo(
        kind, name, ">=1.0,<2", capabilities=frozenset(capabilities), summary="Is here to be tested."
    )

    @hookimpl
    def make(context):
        return made(context)

    return SimpleNamespace(plugin_info=info, **{kind.hook: make})


def mutants(honest: type, table: Mapping[str, Sequence[Any]], attribute: str = "made") -> dict[str, type]:
    """Give a class for each mutant, which says by which test it is caught.

    Args:
        honest: The test class that passes.
        table: Name of a test to the mutants that it must catch.
        attribute: What of the test class the mutant takes the place of.
    """
    found: dict[str, type] = {}
    for test, several in table.items():
        for mutant in several:
            name = f"Test{mutant.__name__}"
            assert name not in found, f"two mutants are called {mutant.__name__}"
            namespace = {
                attribute: mutant if isinstance(mutant, type) else staticmethod(mutant),
                "caught_by": test,
                "__module__": honest.__module__,
            }
            found[name] = type(name, (honest,), namespace)
    return found
