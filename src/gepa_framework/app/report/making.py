"""Making reports: a run that was read, the sections of plugins, and the page, text or JSON of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app.inspect import RunReport, as_json, inspect_run
from gepa_framework.errors import PluginBrokenError
from gepa_framework.plugins import Plugins
from gepa_framework.types import Kind, ReportRun, ReportSection


@attrs.frozen
class Report:
    """A report.

    Attributes:
        run: What is told of the run.
        sections: What plugins add, each section with the plugin that it is from.
    """

    run: RunReport
    sections: tuple[tuple[str, ReportSection], ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        sections = [
            {"plugin": owner, "title": each.title, "text": each.text, "data": dict(each.data)}
            for owner, each in self.sections
        ]
        return {**as_json(self.run), "sections": sections}

    def html(self) -> str:
        """Give it as one HTML file."""
        # Jinja and svg.py cost more than all else of a report that is JSON.
        from gepa_framework.app.report.html import html_page  # noqa: PLC0415

        return html_page(self.run, self.sections)

    def markdown(self) -> str:
        """Give it as Markdown."""
        from gepa_framework.app.report.markdown import markdown_page  # noqa: PLC0415

        return markdown_page(self.run, self.sections)


def make_report(run_dir: Path, extras: Sequence[str] = ()) -> Report:
    """Read a run and ask plugins for their sections; nothing is written.

    Args:
        run_dir: The run's directory.
        extras: Names of the plugins, in the order of their sections. Only these are imported.

    Raises:
        WorkspaceError: There is no run, or it cannot be read.
        PluginError: One of the plugins is missing, ambiguous or incompatible, or cannot be imported.
    """
    plugins = Plugins.discover() if extras else None
    # Wrong names are told before a long run is read.
    loaded = [(name, plugins.load(Kind.EXTRA, name).found.owner) for name in extras] if plugins else []
    run = inspect_run(run_dir)
    if plugins is None:
        return Report(run, ())
    seen = ReportRun(run.overview.run_id, run_dir, run.overview.standing.status, as_json(run))
    return Report(run, tuple((owner, each) for name, owner in loaded for each in _asked(plugins, name, seen)))


def _asked(plugins: Plugins, name: str, run: ReportRun) -> Iterator[ReportSection]:
    try:
        yield from plugins.report_sections(name, run)
    except PluginBrokenError as error:
        # The rest of the report is no worse for it.
        yield ReportSection(title=f"{name}: no section", text=f"{error}", data={"error": str(error)})
