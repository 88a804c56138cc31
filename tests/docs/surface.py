"""Writes the reference of what plugins may import, in Markdown: every public name of every public module.

``python -m tests.docs.surface > docs/reference/surface.md``
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

_HEAD = """\
# What plugins may import

Every public name of the modules that plugins, cookbooks and tests of theirs may import. What stands nowhere
on this page may change without notice. How long names are kept is promised
[for hooks and Protocols](../plugins/author-guide.md#versions) and [for the kit](../plugins/contracts.md). The
contracts have [a page of their own](contracts.md), and so has
[what a program may import that runs GEPA](python.md).
"""
#: Module to what it is for.
MODULES = {
    "gepa_framework.hookspecs": "The marker, and the version of hooks and Protocols. [The hooks](hooks.md).",
    "gepa_framework.types": "Values and Protocols.",
    "gepa_framework.types.events": "Bodies of events. [Their fields](events.md).",
    "gepa_framework.errors": "What may be raised. [When, and what to do](errors.md).",
    "gepa_framework.net": "HTTP, strict JSON, and taking secrets out of texts.",
    "gepa_framework.testing.fakes": "Parts of a run that need no world.",
    "gepa_framework.testing.samples": "Values to test with.",
    "gepa_framework.testing.strategies": "The same for hypothesis.",
    "gepa_framework.testing.container": "A task container that does as it is told.",
    "gepa_framework.testing.clock": "Time that does not pass by itself.",
    "gepa_framework.testing.playing": "Runs coroutines in tests.",
}
#: What the sources cannot say of themselves.
_SAID = {
    "EventFields": "Names of fields to JSON values.",
    "EVENT_TYPES": "Type of an event to the class of its body.",
    "JSONObject": "A JSON object: names to values.",
    "JSONScalar": "`str`, `int`, `float`, `bool` or `None`.",
    "JSONValue": "What JSON can hold.",
    "JournalTable": "Name of a table of the journal.",
    "RolloutOutcome": "A `RolloutResult` or a `RolloutFailure`.",
    "PROJECT": "Name of the hooks' project, for pluggy.",
    "hookimpl": "Marks the function that implements a hook.",
    "hookspec": "Marks a hook; for the framework itself.",
    "VERSION": "The contract that it speaks.",
    "Script": "Gives a turn for what was asked.",
    "TEXTS": "Components of a sample candidate.",
}


def reference() -> str:
    """Give the page."""
    return "\n".join([_HEAD, *(line for name in MODULES for line in _section(name))])


def names_of(module: ModuleType) -> list[str]:
    """Give the public names of a module: those that it lists, else those that it defines."""
    listed = getattr(module, "__all__", None)
    return sorted(listed if listed is not None else _defined(module), key=str.casefold)


def _defined(module: ModuleType) -> Iterator[str]:
    for name, value in vars(module).items():
        if name.startswith("_") or inspect.ismodule(value) or isinstance(value, TypeVar):
            continue
        if name in _constants(module) or getattr(value, "__module__", None) == module.__name__:
            yield name


def _section(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    yield f"## `{name}`\n"
    yield f"{MODULES[name]}\n"
    yield "| Name | What it is |"
    yield "| --- | --- |"
    for each in names_of(module):
        yield f"| `{each}` | {_what(module, each)} |"
    yield ""


def _what(module: ModuleType, name: str) -> str:
    value: Any = getattr(module, name)
    own = inspect.isclass(value) or inspect.isfunction(value)
    text = inspect.getdoc(value) if own and name not in _SAID else None
    said = (text or "").split("\n\n")[0] or _SAID.get(name) or _comment(module, name)
    assert said, f"{module.__name__}.{name} says nothing of itself"
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", " ".join(said.split())).replace("``", "`").replace("|", r"\|")


def _constants(module: ModuleType) -> set[str]:
    body = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _comment(module: ModuleType, name: str) -> str:
    """Give the ``#:`` comment above a constant, in the module itself or else where it comes from."""
    home = Path(str(module.__file__))
    for path in (home, *sorted(home.parent.rglob("*.py"))):
        text = path.read_text(encoding="utf-8")
        if found := re.search(rf"((?:^#: .*\n)+){name}\b.*=", text, flags=re.MULTILINE):
            return " ".join(line.removeprefix("#:").strip() for line in found[1].splitlines())
    return ""


if __name__ == "__main__":
    print(reference(), end="")
