"""The configuration class of a plugin, held against what a table can be structured into."""

from __future__ import annotations

import attrs

from gepa_framework.config.structure import default_of, known_fields
from gepa_framework.errors import PluginBrokenError


def check_config_class(cls: type[object], owner: str) -> None:
    """Make sure that a class can be used before a table is structured into it.

    Args:
        cls: The class.
        owner: Whose it is, in the words of errors.

    Raises:
        PluginBrokenError: It is no attrs class, or an annotation or a default of it cannot be evaluated.
    """
    whose = f"the configuration class {cls.__qualname__} of {owner}"
    if not attrs.has(cls):
        raise PluginBrokenError(f"{whose} is not an attrs class", hint="decorate it with @attrs.frozen")
    try:
        fields = known_fields(cls)
    except Exception as error:
        raise PluginBrokenError(
            f"{whose} has an annotation that cannot be evaluated: {error}",
            hint="import what it names outside TYPE_CHECKING",
        ) from error
    for key, field in fields.items():
        _check_default(whose, key, field)


def _check_default(whose: str, key: str, field: attrs.Attribute[object]) -> None:
    if getattr(field.default, "takes_self", False):
        return  # it looks at its neighbours, which are not there yet
    try:
        default_of(field)
    except Exception as error:
        raise PluginBrokenError(
            f"{whose} cannot make its default of '{key}': {type(error).__name__}: {error}",
            hint="let the default be a plain value, and look at the world when the plugin is used",
        ) from error
