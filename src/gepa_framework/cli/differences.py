"""Two texts beside each other on a terminal, or below each other where nothing is in colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gepa_framework.cli.words import clean

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from gepa_framework.app.inspect.texts import ComponentDiff, Line, LinePair, Span

#: Equal lines around a change that are shown.
_AROUND = 3


def plain(diffs: Sequence[ComponentDiff]) -> str:
    """Give the differences as lines; ``[-gone-]`` and ``{+come+}`` mark words, ``-`` and ``+`` lines."""
    return clean("\n\n".join("\n".join(_component(diff)) for diff in diffs))


def unified(diffs: Sequence[ComponentDiff]) -> str:
    """Give the differences as a unified diff; nothing where there are none."""
    return clean("\n".join(diff.unified for diff in diffs if diff.unified))


def _component(diff: ComponentDiff) -> Iterator[str]:
    yield f"{diff.component}: {diff.kind}"
    if diff.kind == "equal":
        return
    for pair in shown(diff.lines):
        yield "  ..." if pair is None else _pair(pair)


def _pair(pair: LinePair) -> str:
    before, after = pair.before, pair.after
    if before is None or after is None:
        mark, line = ("+ ", after) if before is None else ("- ", before)
        return mark + _text(line.spans if line else ())
    if pair.kind == "equal":
        return "  " + _text(before.spans)
    return "- " + _marked(before, "[-", "-]") + "\n+ " + _marked(after, "{+", "+}")


def _text(spans: Sequence[Span]) -> str:
    return "".join(span.text for span in spans)


def _marked(line: Line, begin: str, end: str) -> str:
    return "".join(f"{begin}{span.text}{end}" if span.changed else span.text for span in line.spans)


def shown(lines: Sequence[LinePair]) -> Iterator[LinePair | None]:
    """Give the lines near a change, and ``None`` for each stretch that is left out."""
    changes = [index for index, pair in enumerate(lines) if pair.kind != "equal"]
    near = {at for index in changes for at in range(index - _AROUND, index + _AROUND + 1)}
    last = -1
    for index in sorted(at for at in near if 0 <= at < len(lines)):
        if index != last + 1:
            yield None
        yield lines[index]
        last = index
    if last != len(lines) - 1:
        yield None


def coloured(diff: ComponentDiff) -> RenderableType:
    """Give one component as two columns for a terminal."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=clean(f"{diff.component}: {diff.kind}"), title_justify="left", box=None, expand=True)
    grid.add_column("", ratio=1)
    grid.add_column("", ratio=1)
    for pair in shown(diff.lines) if diff.kind != "equal" else ():
        if pair is None:
            grid.add_row(Text("...", style="dim"), Text("...", style="dim"))
        else:
            grid.add_row(_side(pair.before, pair.kind, "red"), _side(pair.after, pair.kind, "green"))
    return grid


def _side(line: Line | None, kind: str, colour: str) -> Text:
    from rich.text import Text

    told = Text(overflow="fold")
    for span in line.spans if line else ():
        style = f"bold {colour}" if span.changed else "dim" if kind == "equal" else ""
        told.append(clean(span.text), style=style)
    return told
