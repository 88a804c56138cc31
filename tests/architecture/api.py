"""What plugins rely on, a line each: hooks with their arguments, methods, fields, members, names.

``python -m tests.architecture.api > tests/architecture/api-1.0.txt``
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator
from typing import Any

import attrs

from gepa_framework import errors, hookspecs, net, types
from gepa_framework.hookspecs import PROJECT, extras, factories
from gepa_framework.types import EVENT_TYPES


def lines() -> list[str]:
    """Give all of it, sorted."""
    return sorted({*_hooks(), *_names(), *_errors(), *_events()})


def _hooks() -> Iterator[str]:
    for module in (factories, extras):
        for name, hook in vars(module).items():
            if hasattr(hook, f"{PROJECT}_spec"):
                yield f"hook {name}"
                yield from (f"hook {name} takes {each}" for each in inspect.signature(hook).parameters)


def _names() -> Iterator[str]:
    for module in (hookspecs, net, types):
        for name in module.__all__:
            yield f"name {module.__name__}.{name}"
            if module is types:
                yield from _members(getattr(types, name))


def _members(value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        return
    if issubclass(value, enum.Enum):
        yield from (f"member {value.__name__}.{each.name} = {each.value}" for each in value)
    elif attrs.has(value):
        yield from (f"field {value.__name__}.{each.name}" for each in attrs.fields(value))
    elif getattr(value, "_is_protocol", False):
        for name, method in vars(value).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                word = "async method" if inspect.iscoroutinefunction(method) else "method"
                yield f"{word} {value.__name__}.{name}({', '.join(inspect.signature(method).parameters)})"


def _errors() -> Iterator[str]:
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, errors.GepaError):
            yield f"error {name} = {value.error_code}, {int(value.exit_code)}"


def _events() -> Iterator[str]:
    for name, body in EVENT_TYPES.items():
        yield f"event {name}"
        yield from (f"event {name} has {each.name}: {each.type}" for each in attrs.fields(body))


if __name__ == "__main__":
    print("\n".join(lines()))
