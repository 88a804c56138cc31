"""The closing summary of a run, as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gepa_framework.cli.words import clean, count, dollars, one_line, score, table

if TYPE_CHECKING:
    from gepa_framework.app import GepaRunResult
    from gepa_framework.engine import HeldoutScore


def summary(result: GepaRunResult) -> str:
    """Give the summary; its last line is always the one on the heldout rows."""
    blocks = ["\n".join(_facts(result)), "\n".join(_scores(result)), "\n".join(_places(result))]
    return clean("\n\n".join(blocks)) + "\n\n" + heldout_line(result)


def heldout_line(result: GepaRunResult) -> str:
    """Give ``heldout: seed 0.xxx -> best 0.yyy (n=…, stderr …)``, or why there is nothing to compare."""
    seed, best = result.heldout.get("seed"), result.heldout.get("best")
    if seed is None or best is None:
        return f"heldout: not measured, the run {result.status} without heldout scores on record"
    if seed.score is None or best.score is None:
        who = "the seed" if seed.score is None else "the best candidate"
        return f"heldout: not measured, not one heldout rollout of {who} gave a score"
    error = "unknown" if best.stderr is None else f"{best.stderr:.3f}"
    return (
        f"heldout: seed {score(seed.score)} -> best {score(best.score)} (n={best.coverage}, stderr {error})"
    )


def _facts(result: GepaRunResult) -> list[str]:
    stopped = result.stopped_by
    why = one_line(stopped.message or stopped.kind) if stopped else "not stopped by a limit"
    failed = f" ({result.failed_rollouts:,} failed)" if result.failed_rollouts else ""
    work = f"{count(result.rollouts, 'rollout')}{failed} in {count(result.iterations, 'iteration')}"
    return table(
        [
            ("run", f"{result.run_id} {result.status}"),
            ("stopped by", why),
            ("spent", f"{work}; {_cost(result)}"),
            ("best", f"{result.best_candidate_id or 'none'} of {count(result.candidates, 'candidate')}"),
        ]
    )


def _cost(result: GepaRunResult) -> str:
    unpriced = f" (no price for {', '.join(result.unpriced)})" if result.unpriced else ""
    return f"cost {dollars(result.cost_usd)}{unpriced}"


def _scores(result: GepaRunResult) -> list[str]:
    return table(
        [
            ("", "Pareto", "heldout"),
            ("seed", score(result.seed_score), _heldout(result.heldout.get("seed"))),
            ("best", score(result.best_score), _heldout(result.heldout.get("best"))),
        ]
    )


def _heldout(given: HeldoutScore | None) -> str:
    if given is None:
        return "not measured"
    error = f" ± {given.stderr:.3f}" if given.stderr is not None else ""
    return f"{score(given.score)}{error} on {given.coverage} of {given.rows} rows"


def _places(result: GepaRunResult) -> list[str]:
    places: list[tuple[str, Path | str]] = [
        ("run", result.run_dir),
        ("best text", result.best_candidate_path),
        ("workspace", result.workspace_db_path or result.store_location),
        ("manifest", result.manifest_path),
        ("score chart", result.score_chart_path),
    ]
    return table([(name, str(path)) for name, path in places])
