"""Where runs stand, as a table of all of them or a page on one."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from gepa_framework.cli.words import clean, count, dollars, duration, one_line, score

#: Where nobody says how wide it is.
_WIDTH = 160
_COLUMNS = ("run", "state", "rollouts", "candidates", "best", "score", "cost", "worked", "stale", "checked")


def status_page(found: Mapping[str, Any]) -> str:
    """Put a status into words: a page for one run that can be read, a table for all else."""
    runs = found["runs"]
    if not runs:
        return f"there are no runs in {clean(found['path'])}"
    if len(runs) == 1 and runs[0]["state"] != "unreadable":
        return _rendered(*_page(runs[0]))
    return _rendered(_overview(runs), *_errors(runs))


def _rendered(*parts: object) -> str:
    console = Console(
        file=io.StringIO(),
        width=shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH,
        highlight=False,
        markup=False,
        no_color=True,
    )
    for part in parts:
        console.print(part)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _table(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> Table:
    table = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(clean, row))
    return table


def _overview(runs: Sequence[Mapping[str, Any]]) -> Table:
    return _table(_COLUMNS, (_row(run) for run in runs))


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    if run["state"] == "unreadable":
        return (run["run_id"], "unreadable", *[""] * (len(_COLUMNS) - 2))
    counts, report = run["counts"], run["invariant_report"]
    behind = sum(number for name, number in run["projection_status_counts"].items() if name != "fresh")
    return (
        run["run_id"],
        run["state"],
        f"{counts['rollouts']:,}",
        f"{counts['candidates']:,}",
        run["best_candidate_id"],
        score(run["best_score"]),
        dollars(run["cost_usd"]),
        duration(run["elapsed_seconds"]),
        str(behind) if behind else "",
        _checked(report),
    )


def _checked(report: Mapping[str, Any]) -> str:
    if report["status"] == "unchecked":
        return ""
    return report["status"] if report["current"] else f"{report['status']} (before)"


def _errors(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for run in runs:
        if run["state"] == "unreadable":
            error = run["error"]
            cure = f"; {error['hint']}" if error["hint"] else ""
            yield one_line(f"{run['run_id']}: {error['message']}{cure}")


def _page(run: Mapping[str, Any]) -> Iterator[object]:
    yield _table(("", ""), iter(_facts(run)))
    yield _table(("limit", "of", "spent", "left"), _budget(run["budget_status"]))
    maps = {key.removesuffix("_counts"): value for key, value in run.items() if key.endswith("_counts")}
    yield _table(
        ("counts of", ""), ((_spoken(name), _listed(value)) for name, value in maps.items() if value)
    )
    behind = [each for each in run["projection_freshness"] if each["status"] != "fresh"]
    if behind:
        columns = ("not fresh", "status", "behind", "")
        yield _table(columns, (_projection(each) for each in behind))


def _facts(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "run", f"{run['run_id']} in {run['run_dir']}"
    yield "state", run["state"] + (f", by {run['holder']}" if run["holder"] else "")
    if run["failure"]:
        yield "failure", one_line(str(run["failure"].get("message", "")))
    latest = run["latest_transition"]
    if latest:
        yield "since", f"event {latest['seq']:,}, {latest['trigger']} (before: {latest['before']})"
    for name in ("started_at", "completed_at", "updated_at"):
        if run[name]:
            yield name.removesuffix("_at"), run[name]
    yield "worked", duration(run["elapsed_seconds"])
    yield "best", f"{run['best_candidate_id'] or 'none yet'}, {score(run['best_score'])}"
    yield "cost", dollars(run["cost_usd"])
    yield "on record", f"{count(run['counts']['inputs'], 'input')}, {count(run['counts']['events'], 'event')}"
    yield "invariants", _verdict(run["invariant_report"])


def _verdict(report: Mapping[str, Any]) -> str:
    if report["status"] == "unchecked":
        return "never checked: gepa workspace check"
    told = f"{report['invariants']} checked, {count(report['violation_count'], 'violation')}"
    return told if report["current"] else f"{told}; the run went on since then"


def _budget(budget: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, limit in budget["limits"].items():
        numbers = (limit, budget["spent"].get(name), budget["remaining"].get(name))
        yield (_spoken(name), *("unknown" if each is None else f"{each:,.10g}" for each in numbers))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items())


def _projection(each: Mapping[str, Any]) -> tuple[str, ...]:
    behind = f"{each['lag_count']:,} of {each['source_count']:,} {each['source']}"
    return each["projection_name"], each["status"], behind, each["details"]
