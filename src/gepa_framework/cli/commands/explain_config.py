"""``gepa explain-config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from gepa_framework.cli import output
from gepa_framework.cli.options import config_options, json_option, verbose_option
from gepa_framework.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gepa_framework.config.explained import Explained


@click.command("explain-config")
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@config_options
@json_option
@verbose_option
@click.pass_obj
def explain_config(
    session: Session, keys: tuple[str, ...], config: str, sets: tuple[str, ...], as_json: bool
) -> None:
    """Show every value that holds, and where it came from.

    With KEY, such as gepa or gepa.minibatch_size, only that table or value.
    """
    from gepa_framework.app.explaining import explain_config as explain
    from gepa_framework.cli.explained import explained_text
    from gepa_framework.cli.logs import show_warnings

    show_warnings(verbose=session.verbose)
    explanation = explain(config, sets=sets)
    values = _chosen(explanation.values, keys)
    if as_json:
        output.answer_json({"file": explanation.file, "values": [attrs.asdict(value) for value in values]})
    else:
        output.answer(explained_text(values))


def _chosen(values: Sequence[Explained], keys: tuple[str, ...]) -> list[Explained]:
    import difflib

    for key in keys:
        if not any(_of(value, key) for value in values):
            near = difflib.get_close_matches(key, [value.path for value in values], n=1)
            cure = f"; did you mean '{near[0]}'?" if near else ""
            raise click.BadParameter(f"there is no '{key}'{cure}", param_hint="KEY")
    return [value for value in values if not keys or any(_of(value, key) for key in keys)]


def _of(value: Explained, key: str) -> bool:
    return any(path == key or path.startswith(f"{key}.") for path in (value.path, value.written_as))
