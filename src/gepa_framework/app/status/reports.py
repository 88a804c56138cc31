"""Reports of checks, left in the run's directory for whoever asks for its status later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from gepa_framework.app import files
from gepa_framework.types import JSONObject
from gepa_framework.workspace import Standing

SCHEMA: Final = "workspace_check.v1"
#: So many violations are kept in a report.
MOST: Final = 100


@attrs.frozen
class Report:
    """What a check of the invariants came to.

    Attributes:
        status: ``passed``, ``violated``, or ``unchecked`` where there was no check.
        current: Whether the journal is the one that was checked.
        invariants: Invariants that were checked.
        violated: Ids of those that do not hold.
        violation_count: Rows that violate one.
        violations: The first of these.
        inputs: Inputs that were on record.
        events: Events that were on record.
        chain: The last link of the inputs.
    """

    status: str = "unchecked"
    current: bool = False
    invariants: int = 0
    violated: tuple[str, ...] = ()
    violation_count: int = 0
    violations: tuple[JSONObject, ...] = ()
    inputs: int = 0
    events: int = 0
    chain: str = ""

    def to_dict(self) -> JSONObject:
        """Give it as JSON."""
        return attrs.asdict(self, recurse=False)


def write_report(run_dir: Path, report: Report) -> None:
    """Leave a report in the run's directory.

    Raises:
        WorkspaceError: It cannot be written.
    """
    fields = {key: value for key, value in report.to_dict().items() if key != "current"}
    files.write_json(run_dir / files.CHECK, {"schema": SCHEMA, **fields})


def last_report(run_dir: Path, standing: Standing) -> Report:
    """Give the last report, and whether it tells of the journal as it is; one that cannot be read is none."""
    try:
        found = json.loads((run_dir / files.CHECK).read_text(encoding="utf-8"))
        return _parsed(found, standing)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Report()


def _parsed(found: Mapping[str, Any], standing: Standing) -> Report:
    fields = {field.name: found[field.name] for field in attrs.fields(Report) if field.name != "current"}
    fields["violated"], fields["violations"] = tuple(found["violated"]), tuple(found["violations"])
    now = (standing.inputs, standing.events, standing.chain)
    return Report(**fields, current=now == (found["inputs"], found["events"], found["chain"]))
