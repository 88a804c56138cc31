"""The report sections of an extra, held against what a section may be."""

from __future__ import annotations

from collections.abc import Sequence

from gepa_framework.errors import PluginBrokenError
from gepa_framework.plugins.found import Found
from gepa_framework.types import ReportSection

_HOOK = "gepa_report_sections"


def checked_sections(found: Found, given: object) -> tuple[ReportSection, ...]:
    """Give what `gepa_report_sections` returned once it has proved right; nothing is no section.

    Raises:
        PluginBrokenError: It is no sequence of sections.
    """
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise PluginBrokenError(
            f"{found.owner}: {_HOOK} returned {given!r}", hint="return a sequence of ReportSection"
        )
    if odd := [each for each in given if not isinstance(each, ReportSection)]:
        raise PluginBrokenError(
            f"{found.owner}: {_HOOK} returned {odd[0]!r} among the sections", hint="return ReportSection(...)"
        )
    return tuple(given)
