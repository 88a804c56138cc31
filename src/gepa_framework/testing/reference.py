"""Writes the reference of the contracts, in Markdown: every class, and every test with its promise.

``python -m gepa_framework.testing.reference > docs/reference/contracts.md``
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from gepa_framework.testing import contracts

_HEAD = """\
# Contracts

What `gepa_framework.testing.contracts` holds plugins to. A class has the tests of the classes that it is one
of, too: every contract is a `PluginInfoContract`. How to use them is in
[test your plugin](../how-to/test-a-plugin.md), how they may change in
[the promise of the kit](../plugins/contracts.md).
"""


def reference() -> str:
    """Give the page."""
    return "\n".join([_HEAD, *(line for cls in _classes() for line in _section(cls))])


def _classes() -> Iterator[type[object]]:
    """Give the contracts, those of which others are first."""
    classes: list[type[object]] = [getattr(contracts, name) for name in contracts.__all__]
    yield from sorted(classes, key=lambda cls: (_rank(cls), cls.__name__))


def _rank(cls: type[object]) -> tuple[str, int]:
    kind = getattr(cls, "kind", None)
    return (kind.value if kind is not None else "", len(cls.__mro__))


def _section(cls: type[object]) -> Iterator[str]:
    above = [f"`{base.__name__}`" for base in cls.__bases__ if base.__name__ in contracts.__all__]
    yield f"## `{cls.__name__}`\n"
    yield f"{inspect.cleandoc(cls.__doc__ or '')}\n"
    if above:
        yield f"It is a {' and a '.join(above)}.\n"
    yield "| Test | Promise |"
    yield "| --- | --- |"
    for name, test in vars(cls).items():
        if name.startswith("test_"):
            yield f"| `{name}` | {inspect.cleandoc(test.__doc__ or '')} |"
    yield ""


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - it is what the program is for
