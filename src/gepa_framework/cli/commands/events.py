"""``gepa events``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gepa_framework.cli import output
from gepa_framework.cli.lazy import LazyGroup, help_if_alone
from gepa_framework.cli.options import json_lines_option, json_option, verbose_option
from gepa_framework.cli.places import near_run, output_dir
from gepa_framework.cli.words import clean, count, duration, one_line, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gepa_framework.app import EventComparison, EventLine, EventReplay

#: So much of a value is shown, and of a line.
_VALUE, _LINE = 60, 300


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.pass_context
def events(ctx: click.Context) -> None:
    """Look at the events of runs."""
    help_if_alone(ctx)


@events.command()
@click.argument("run", metavar="RUN|FILE")
@click.option("-f", "--follow", is_flag=True, help="Go on as events are written, until the run ends.")
@click.option(
    "-n",
    "--last",
    metavar="N",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="So many of the events that are there.",
)
@click.option("--type", "types", metavar="GLOB", default="*", help="Only these, such as 'candidate.*'.")
@json_lines_option
@verbose_option
def tail(run: str, *, follow: bool, last: int, types: str, as_json: bool) -> None:
    """Show the last events of a run, a line each."""
    from gepa_framework.app import follow_events, tail_events

    source = find_feed(run)
    lines = (
        follow_events(source, last=last, types=types)
        if follow
        else tail_events(source, last=last, types=types)
    )
    _warn_of_types(types)
    for line in lines:
        if not output.answer(_ascii(line.text) if as_json else clean(_shown(line))):
            return


def _warn_of_types(types: str) -> None:
    from fnmatch import fnmatchcase

    from gepa_framework.types import EVENT_TYPES

    if not any(fnmatchcase(name, types) for name in EVENT_TYPES):
        output.talk(f"warning: no event that this version knows has a type like '{clean(types)}'")


def _ascii(text: str) -> str:
    """Give a line of JSON so that no encoding of the terminal can spoil it."""
    return re.sub(r"[^\x00-\x7f]", _escaped, text)


def _escaped(found: re.Match[str]) -> str:
    import json

    return json.dumps(found[0])[1:-1]


def _shown(line: EventLine) -> str:
    clock = "" if line.elapsed_seconds is None else f" [{duration(line.elapsed_seconds):>5}]"
    fields = " ".join(f"{name}={_value(value)}" for name, value in line.fields.items())
    return f"{line.seq:>6}{clock} {one_line(f'{line.type} {fields}', _LINE)}"


def _value(value: object) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return one_line(text, _VALUE)


@events.command()
@click.argument("run", metavar="RUN|FILE", required=False)
@click.option("--events", "file", metavar="RUN|FILE", help="The same as the argument.")
@json_option
@verbose_option
def replay(run: str | None, file: str | None, *, as_json: bool) -> None:
    """Tell a run again from its events, and prove that none is missing.

    RUN is the directory of a run, or the id of one below the output directory: its feeds are held
    against its journal.
    FILE is a feed, normalised or not.
    """
    from gepa_framework.app import replay_events
    from gepa_framework.app.event_sources import feed_of
    from gepa_framework.cli.story import Story

    (source,) = _sources((run,), {"--events": file}, 1)
    if as_json:
        output.answer_json({"ok": True, **replay_events(source).to_dict()})
        return
    story = Story(feed_of(source), opening=source.is_dir())
    replayed = replay_events(source, story.on_event)
    output.answer(_proved(replayed))


def _proved(replayed: EventReplay) -> str:
    rows = [
        ("feed", f"{replayed.feed}, {count(replayed.events, 'event')} without a gap"),
        *([("as on record", ", ".join(replayed.proved))] if replayed.proved else []),
        *(("not proved", each) for each in replayed.unproved),
    ]
    return clean("\n" + "\n".join(table(rows)))


@events.command()
@click.argument("runs", metavar="LEFT RIGHT", nargs=-1)
@click.option("--left", metavar="RUN|FILE", help="The same as the first argument.")
@click.option("--right", metavar="RUN|FILE", help="The same as the second argument.")
@json_option
@verbose_option
def compare(runs: tuple[str, ...], left: str | None, right: str | None, *, as_json: bool) -> None:
    """Compare the events of two runs, and name the first difference.

    Each side is the directory of a run, the id of one below the output directory, or a feed, normalised or
    not. The time that each took is left out. With a difference, the exit code is 1.
    """
    from gepa_framework.app import compare_events

    one, other = _sources(runs, {"--left": left, "--right": right}, 2)
    compared = compare_events(one, other)
    compared.check()
    if as_json:
        output.answer_json({"ok": True, **compared.to_dict()})
    else:
        output.answer(clean(_equal(compared)))


def _equal(compared: EventComparison) -> str:
    return f"equal: {count(compared.events, 'event')} in {compared.left} and in {compared.right}"


def _sources(given: Iterable[str | None], options: dict[str, str | None], wanted: int) -> list[Path]:
    """Give what arguments and options name together, in the order of the options."""
    rest = [name for name in given if name is not None]
    names = [value if value is not None else (rest.pop(0) if rest else None) for value in options.values()]
    if rest:
        raise click.UsageError(f"{count(len(rest), 'argument')} too many: {' '.join(rest)}")
    if None in names:
        raise click.UsageError(f"name {count(wanted, 'run or feed') if wanted == 1 else 'two runs or feeds'}")
    return [find_feed(name) for name in names if name is not None]


def find_feed(name: str) -> Path:
    """Give the directory of a run, or the feed, that is meant.

    Args:
        name: Its path, or the id of a run below the output directory.

    Raises:
        click.BadParameter: There is none; the message names the nearest run.
    """
    if Path(name).exists():
        return Path(name)
    runs = output_dir()
    if (runs / name).exists():
        return runs / name
    raise click.BadParameter(
        f"there is no file or directory '{name}', and no run of that id in ./{runs}{near_run(runs, name)}",
        param_hint="RUN|FILE",
    )
