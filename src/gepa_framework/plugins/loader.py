"""Imports exactly one plugin."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import attrs
from stevedore.named import NamedExtensionManager

from gepa_framework.errors import PluginBrokenError
from gepa_framework.plugins.found import Found
from gepa_framework.plugins.requirements import pip_line, unmet
from gepa_framework.types import PluginInfo


@attrs.frozen
class LoadedPlugin:
    """A plugin that was imported and proved right.

    Attributes:
        found: Where it comes from.
        info: What it says of itself.
        plugin: The module or object that carries its hooks.
    """

    found: Found
    info: PluginInfo
    plugin: object = attrs.field(repr=False, eq=False)


class _OneExtension(NamedExtensionManager[Any]):
    """Stevedore's loading over our own listing.

    Its own listing comes out of a cache that loses the distribution and lags behind a reinstallation; and of
    two entry points with one name it would import both.
    """

    def __init__(self, found: Found) -> None:
        self.failures: list[BaseException] = []
        self._chosen = EntryPoint(found.name, found.target, found.kind.group)
        super().__init__(
            found.kind.group,
            [found.name],
            on_load_failure_callback=lambda _manager, _entry, error: self.failures.append(error),
            on_missing_entrypoints_callback=None,
        )

    def list_entry_points(self) -> list[EntryPoint]:
        return [self._chosen]


def import_plugin(found: Found) -> object:
    """Import what the entry point names.

    Raises:
        PluginBrokenError: It does not import, or tries to end the process.
    """
    try:
        manager = _OneExtension(found)
    except (AssertionError, SystemExit) as error:  # stevedore lets these two through
        raise _broken(found, error) from error
    if manager.failures:
        raise _broken(found, manager.failures[0]) from manager.failures[0]
    return manager.extensions[0].plugin


def _broken(found: Found, error: BaseException) -> PluginBrokenError:
    return PluginBrokenError(
        f"{found.owner} ({found.target}) did not import: {type(error).__name__}: {error}",
        hint=_cure(found, error),
    )


def _cure(found: Found, error: BaseException) -> str:
    if lacking := unmet(found.requires):
        return pip_line(lacking)
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if missing and _package(missing) != _package(found.target):
        # It is no declared requirement, so that installing the plugin again would not bring it.
        return f"install what holds {missing!r}; it belongs into the dependencies of {found.dist}"
    return f"pip install --force-reinstall {found.dist}"


def _package(module: str) -> str:
    return module.partition(":")[0].partition(".")[0]
