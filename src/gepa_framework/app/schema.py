"""The JSON Schema of the configuration with the installed plugins."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import attrs
from packaging.utils import canonicalize_name

from gepa_framework.config.schema import KINDS, TITLE, PluginKeys, config_schema
from gepa_framework.errors import GepaError, PluginError, PluginNotFoundError, SchemaStaleError
from gepa_framework.plugins import Found, Plugins, State
from gepa_framework.types import JSONObject

#: The name of the file beside a configuration, and what the configuration says of it in its first line.
FILE = "gepa.schema.json"
DIRECTIVE = f"#:schema ./{FILE}"


@attrs.frozen
class InstalledSchema:
    """The schema, and what is missing from it.

    Attributes:
        schema: JSON Schema, 2020-12.
        left_out: One sentence for each plugin that cannot be used, and so is refused by the schema as well.
    """

    schema: JSONObject
    left_out: tuple[str, ...]

    def text(self) -> str:
        """Give the file's content."""
        return json.dumps(self.schema, indent=2, ensure_ascii=False) + "\n"


def installed_schema(dists: Collection[str] = ()) -> InstalledSchema:
    """Give the schema of a ``gepa.toml``; imports every plugin that a table may select.

    Args:
        dists: Distributions whose plugins are in it; all that are installed where empty.

    Raises:
        PluginNotFoundError: One of `dists` offers no plugin.
    """
    plugins = Plugins.discover()
    founds = _chosen(plugins.founds(), dists)
    known: list[PluginKeys] = []
    left_out: list[str] = []
    for found in founds:
        try:
            loaded = plugins.load(found.kind, found.qualified)
        except PluginError as error:
            left_out.append(error.message)
            continue
        info = loaded.info
        known.append(PluginKeys(found.kind, _names(found), info.config, info.summary, found.dist))
    return InstalledSchema(config_schema(known), tuple(left_out))


def _chosen(founds: Collection[Found], dists: Collection[str]) -> list[Found]:
    selectable = [found for found in founds if found.kind in KINDS]
    if not dists:
        return selectable
    wanted = {canonicalize_name(dist): dist for dist in dists}
    offering = {canonicalize_name(found.dist) for found in selectable}
    if missing := [dist for key, dist in wanted.items() if key not in offering]:
        raise PluginNotFoundError(
            f"{', '.join(missing)}: no such distribution offers a plugin that a table selects",
            hint="gepa plugins list shows what is installed",
        )
    return [found for found in selectable if canonicalize_name(found.dist) in wanted]


def _names(found: Found) -> tuple[str, ...]:
    return (found.qualified,) if found.state is State.AMBIGUOUS else (found.name, found.qualified)


def check_fresh(path: Path, text: str, command: str) -> None:
    """Hold a file against the schema of now.

    Args:
        path: The file.
        text: What it should hold.
        command: What writes it.

    Raises:
        SchemaStaleError: It holds something else, or is not there.
        GepaError: It cannot be read.
    """
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SchemaStaleError(f"{path} is not there", hint=command) from None
    except (OSError, UnicodeDecodeError) as error:
        raise GepaError(
            f"{path} cannot be read: {error}", hint="name a file that gepa schema wrote"
        ) from error
    if there != text:
        raise SchemaStaleError(f"{path} is not the schema of the plugins that are installed", hint=command)


def is_schema(path: Path) -> bool:
    """Tell whether a file is a schema that `gepa schema` or `gepa init` wrote, of whatever plugins."""
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(there, dict) and there.get("title") == TITLE and "$defs" in there
