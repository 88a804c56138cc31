"""``gepa report``."""

from __future__ import annotations

from pathlib import Path

import click

from gepa_framework.cli import output, told
from gepa_framework.cli.options import json_option, verbose_option
from gepa_framework.cli.places import find_run
from gepa_framework.cli.words import clean

#: The page where no other file is named.
NAME = "gepa-report-{}.html"


@click.command()
@click.argument("run")
@click.option(
    "--html",
    metavar="FILE",
    is_flag=False,
    flag_value="",
    help="Write one HTML file; gepa-report-RUN.html where none is named, - for stdout.",
)
@click.option("--md", "markdown", is_flag=True, help="Print Markdown.")
@click.option(
    "--with",
    "extras",
    metavar="NAME",
    multiple=True,
    help="Add the sections of an extra; may be given again.",
)
@json_option
@verbose_option
def report(run: str, html: str | None, markdown: bool, extras: tuple[str, ...], as_json: bool) -> None:
    """Report on a run: scores, lineage, frontier, differences, cost, decisions and verdict.

    RUN is the directory of a run, or the id of one below the output directory. One of --html, --md and --json
    says in which form.
    """
    from gepa_framework.app.report.making import make_report

    if (html is not None) + markdown + as_json != 1:
        raise click.UsageError("say one of --html [FILE], --md and --json")
    made = make_report(find_run(run), extras)
    if as_json:
        output.answer_json(made.to_dict())
    elif markdown:
        output.answer(made.markdown().rstrip("\n"))
    elif html == "-":
        output.answer(made.html())
    else:
        _write(Path(html or NAME.format(Path(made.run.overview.run_id).name)), made.html())


def _write(path: Path, page: str) -> None:
    from gepa_framework.app.files import write_text

    write_text(path, page)
    output.answer(clean(f"{path}, {told.size(len(page.encode()))}"))
