"""Holds what a plugin says of itself against what its entry point says."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from gepa_framework.errors import PluginBrokenError, PluginIncompatibleError
from gepa_framework.hookspecs import API_VERSION
from gepa_framework.plugins.found import Found
from gepa_framework.types import Kind, NoConfig, PluginInfo

_EVERYWHERE = frozenset({"use", "on_error"})

#: The keys of each kind's table that are the framework's own, so no plugin may claim them.
RESERVED: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.PROPOSER: _EVERYWHERE | {"backend"},
        Kind.TRANSPORT: _EVERYWHERE | {"transport"},
        Kind.CACHE: _EVERYWHERE | {"backend", "mode", "namespace"},
        Kind.STOPPER: _EVERYWHERE,
        Kind.EXECUTOR: _EVERYWHERE,
        Kind.LISTENER: _EVERYWHERE,
        Kind.STORE: _EVERYWHERE,
    }
)


def checked_info(found: Found, plugin: object) -> PluginInfo:
    """Give the plugin's ``plugin_info`` once it has proved right.

    Raises:
        PluginBrokenError: It is absent, contradicts the entry point, or cannot be read.
        PluginIncompatibleError: It is written for another version of the hooks.
    """
    info = _read(found, plugin)
    if not isinstance(info, PluginInfo):
        given = "no plugin_info" if info is None else f"a plugin_info that is {info!r}"
        raise _broken(found, f"has {given}", "give its module a constant plugin_info = PluginInfo(...)")
    _check_identity(found, info)
    _check_api(found, info)
    _check_config(found, info)
    _check_words(found, info)
    return info


def _read(found: Found, plugin: object) -> object:
    try:
        return getattr(plugin, "plugin_info", None)
    except Exception as error:
        told = f"raised {type(error).__name__}: {error} when its plugin_info was read"
        raise _broken(found, told, "let it be a constant, and tell its makers") from error


def _check_identity(found: Found, info: PluginInfo) -> None:
    if info.kind is not found.kind:
        raise _broken(
            found,
            f"stands in the group '{found.kind.group}' but its plugin_info.kind is {info.kind!r}",
            "make them agree",
        )
    if info.name != found.name:
        raise _broken(found, f"calls itself {info.name!r} in its plugin_info", "make the two names agree")


def _check_api(found: Found, info: PluginInfo) -> None:
    try:
        api = SpecifierSet(info.api)
    except (InvalidSpecifier, TypeError, AttributeError) as error:
        raise _broken(
            found, f"has an unreadable plugin_info.api: {info.api!r}", 'write ">=1.0,<2"'
        ) from error
    if not str(api):
        raise _broken(found, "has an empty plugin_info.api", 'write the range it was made for: ">=1.0,<2"')
    if not api.contains(API_VERSION, prereleases=True):
        raise PluginIncompatibleError(
            f"{found.owner} is written for the plugin API {info.api}, and this is {API_VERSION}",
            hint=f"pip install --upgrade {found.dist} gepa-framework",
        )


def _check_config(found: Found, info: PluginInfo) -> None:
    config: object = info.config
    if not (isinstance(config, type) and attrs.has(config)):
        raise _broken(found, f"has a config that is no attrs class: {config!r}", "use @attrs.frozen")
    if found.kind is Kind.EXTRA and config is not NoConfig:
        raise _broken(found, "has a config, and no table is an extra's", "leave it out")
    fields = {field.name for field in attrs.fields(config)}
    if taken := sorted(fields & RESERVED.get(found.kind, frozenset())):
        raise _broken(
            found,
            f"has a config with the reserved field{'s'[: len(taken) - 1]} {', '.join(taken)}",
            "give it another name",
        )


def _check_words(found: Found, info: PluginInfo) -> None:
    capabilities: object = info.capabilities
    # Those that a newer framework knows are kept: they are texts as well.
    if not isinstance(capabilities, frozenset) or not all(isinstance(each, str) for each in capabilities):
        told = f"has capabilities that are no frozenset of texts: {capabilities!r}"
        raise _broken(found, told, "write frozenset({Capability.DETERMINISTIC}), or leave them out")
    summary: object = info.summary
    if not isinstance(summary, str):
        raise _broken(found, f"has a summary that is no text: {summary!r}", "write one sentence")


def _broken(found: Found, what: str, cure: str) -> PluginBrokenError:
    return PluginBrokenError(f"{found.owner} ({found.target}) {what}", hint=cure)
