"""What a plugin adds to a report, and what it is told for it."""

from __future__ import annotations

from pathlib import Path

import attrs

from gepa_framework.types.json import EMPTY, JSONObject, freeze_mapping


@attrs.frozen
class ReportRun:
    """A run as a report tells of it, cheap to read and impossible to change.

    Attributes:
        run_id: Its name.
        run_dir: Its directory; what is in it is read and never written.
        status: ``running``, ``interrupted``, ``finished``, ``failed``, ``cancelled`` or ``empty``.
        data: What ``gepa report RUN --json`` gives.
    """

    run_id: str
    run_dir: Path
    status: str
    data: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping, repr=False)


def _one_line(_: object, field: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise ValueError(f"{field.name} must be one line of text, got {value!r}")


@attrs.frozen
class ReportSection:
    """A section that a plugin adds to a report.

    Attributes:
        title: Its heading, one line.
        text: What it says, as plain text; shown as it is, with its line breaks.
        html: The same as HTML, for the page; empty where `text` will do. Nothing that it refers to is loaded,
            and no script of it runs.
        data: The same as JSON, for ``gepa report --json``.
    """

    title: str = attrs.field(validator=_one_line)
    text: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    html: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    data: JSONObject = attrs.field(default=EMPTY, converter=freeze_mapping)
