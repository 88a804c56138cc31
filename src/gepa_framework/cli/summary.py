"""The closing summary of a run, as text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gepa_framework.cli.verdicts import verdict_words
from gepa_framework.cli.words import clean, count, dollars, one_line, score, stderr_words, table, with_error

if TYPE_CHECKING:
    from gepa_framework.app import GepaRunResult
    from gepa_framework.engine import HeldoutScore


def summary(result: GepaRunResult) -> str:
    """Give the summary; its last line is always the one on the heldout rows."""
    blocks = (_facts(result), _scores(result), _places(result), list(_verdict(result)))
    return clean("\n\n".join("\n".join(block) for block in blocks if block)) + "\n\n" + heldout_line(result)


def heldout_line(result: GepaRunResult) -> str:
    """Give ``heldout: seed 0.xxx -> best 0.yyy (n=…, stderr …)``, or why there is nothing to compare."""
    seed, best = result.heldout.get("seed"), result.heldout.get("best")
    if seed is None or best is None:
        return f"heldout: not measured, the run {result.status} without heldout scores on record"
    if seed.score is None or best.score is None:
        who = "the seed" if seed.score is None else "the best candidate"
        return f"heldout: not measured, not one heldout rollout of {who} gave a score"
    error = stderr_words(best.stderr)
    return (
        f"heldout: seed {score(seed.score)} -> best {score(best.score)} (n={best.coverage}, stderr {error})"
    )


def _facts(result: GepaRunResult) -> list[str]:
    stopped = result.stopped_by
    why = one_line(stopped.message or stopped.kind) if stopped else "not stopped by a limit"
    failed = f" ({result.failed_rollouts:,} failed)" if result.failed_rollouts else ""
    work = f"{count(result.rollouts, 'rollout')}{failed} in {count(result.iterations, 'iteration')}"
    chosen = ", chosen by its heldout score" if _passed_over(result) else ""
    return table(
        [
            ("run", f"{result.run_id} {result.status}"),
            ("stopped by", why),
            ("spent", f"{work}; {_cost(result)}"),
            (
                "best",
                f"{result.best_candidate_id or 'none'} of {count(result.candidates, 'candidate')}{chosen}",
            ),
        ]
    )


def _passed_over(result: GepaRunResult) -> bool:
    """Tell whether the deployment rule took another candidate than the one that the search selected."""
    selected = result.optimization_selected_candidate
    return selected is not None and selected.id != result.best_candidate_id


def _cost(result: GepaRunResult) -> str:
    unpriced = f" (no price for {', '.join(result.unpriced)})" if result.unpriced else ""
    return f"cost {dollars(result.cost_usd)}{unpriced}"


def _scores(result: GepaRunResult) -> list[str]:
    rows = [
        ("", "Pareto", "heldout"),
        ("seed", with_error(result.seed_score, result.seed_stderr), _heldout(result.heldout.get("seed"))),
        ("best", with_error(result.best_score, result.best_stderr), _heldout(result.heldout.get("best"))),
    ]
    return table([*rows, *_selected(result)])


def _selected(result: GepaRunResult) -> Iterator[tuple[str, str, str]]:
    """Give the row of the candidate that the search selected, where another one is called the best."""
    selected = result.optimization_selected_candidate
    if selected is None or not _passed_over(result):
        return
    for measured in result.heldout_measurements_by_candidate:
        if measured.id == selected.id:
            pareto = with_error(selected.score, selected.stderr)
            yield "selected", pareto, f"{with_error(measured.score, measured.stderr)} on {measured.n} rows"


def _heldout(given: HeldoutScore | None) -> str:
    if given is None:
        return "not measured"
    return f"{with_error(given.score, given.stderr)} on {given.coverage} of {given.rows} rows"


def _places(result: GepaRunResult) -> list[str]:
    places: list[tuple[str, Path]] = [
        ("run", result.run_dir),
        ("best text", result.best_candidate_path),
        ("workspace", result.workspace_db_path),
        ("manifest", result.manifest_path),
        ("score chart", result.score_chart_path),
    ]
    return table([(name, str(path)) for name, path in places])


def _verdict(result: GepaRunResult) -> Iterator[str]:
    verdict = result.improvement_verdict
    if verdict is not None:
        who = f" on {verdict.candidate_id}" if _passed_over(result) else ""
        yield f"verdict{who}: {verdict_words(verdict)}"
