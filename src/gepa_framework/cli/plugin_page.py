"""What there is to say of one plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gepa_framework.cli.plugin_table import plugin_table
from gepa_framework.cli.words import clean, table
from gepa_framework.hookspecs import PROJECT

if TYPE_CHECKING:
    from gepa_framework.plugins import LoadedPlugin


def page_fields(loaded: LoadedPlugin) -> dict[str, object]:
    """Give the page as JSON."""
    found, info = loaded.found, loaded.info
    return {
        "kind": found.kind.value,
        "name": found.name,
        "summary": info.summary,
        "distribution": found.dist,
        "version": found.version,
        "target": found.target,
        "api": info.api,
        "capabilities": sorted(info.capabilities),
        "hooks": hooks(loaded.plugin),
        "config": plugin_table(found.kind, found.name, info.config),
    }


def page(loaded: LoadedPlugin) -> str:
    """Give the page as text, its end being TOML."""
    fields = page_fields(loaded)
    head = f"{fields['kind']} {fields['name']}: {fields['summary'] or 'its makers say nothing of it'}"
    rows = [
        ("from", f"{fields['distribution']} {fields['version']}"),
        ("in", str(fields["target"])),
        ("api", str(fields["api"])),
        ("capabilities", ", ".join(sorted(loaded.info.capabilities)) or "none"),
        ("hooks", ", ".join(hooks(loaded.plugin)) or "none"),
    ]
    return clean("\n".join([head, "", *table(rows, indent="  "), "", str(fields["config"])]))


def hooks(plugin: object) -> list[str]:
    """Give the hooks that a plugin implements."""
    mark = f"{PROJECT}_impl"
    return [name for name in dir(plugin) if getattr(getattr(plugin, name, None), mark, None)]
