"""The preflight: tools first, then one evaluation, then the commands that look at an artefact."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs

from gepa_framework.app import files
from gepa_framework.app.prepare import Prepared
from gepa_framework.app.scenarios.checks import Check, failed, refuse_failed
from gepa_framework.app.scenarios.commands import filled, run_command
from gepa_framework.app.scenarios.scores import check_scorer, check_validator
from gepa_framework.app.scenarios.smoke import Smoked, smoke
from gepa_framework.app.scenarios.tools import check_needs
from gepa_framework.errors import GepaError
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.types import Scenario

_LOG_LINES = 15


def preflight(
    prepared: Prepared, scenario: Scenario, told: Callable[[Check], None] | None = None
) -> tuple[Check, ...]:
    """Look whether a run can do its work; at most one rollout is spent, and it is on nobody's books.

    Args:
        prepared: The run; nothing is written in its directory.
        scenario: What is needed, and what scores look like.
        told: Called with each check once it is known.

    Raises:
        PreflightError: Names all that is wrong.
    """
    redact = Redactor(secrets_of(prepared.environ))
    checks: list[Check] = []

    def note(check: Check) -> None:
        clean = attrs.evolve(check, detail=redact(check.detail), cure=redact(check.cure))
        checks.append(clean)
        if told is not None:
            told(clean)

    for check in check_needs(scenario, prepared.environ, prepared.loaded.base_dir):
        note(check)
    # With a tool missing, what follows would fail for a reason that is known already.
    refuse_failed(scenario.id, checks)
    with tempfile.TemporaryDirectory(prefix="gepa-preflight-") as name:
        for check in _try_out(prepared, scenario, Path(name)):
            note(check)
    refuse_failed(scenario.id, checks)
    return tuple(checks)


def _try_out(prepared: Prepared, scenario: Scenario, directory: Path) -> Iterator[Check]:
    run_dir = directory / "run"
    run_dir.mkdir()
    apart = attrs.evolve(prepared, run_id=f"preflight-{scenario.id.replace('/', '-')}", run_dir=run_dir)
    smoked = _smoked(apart, scenario)
    *good, last = smoked.checks
    yield from good
    yield last if last.ok else attrs.evolve(last, detail=last.detail + _log_tail(run_dir))
    if all(check.ok for check in smoked.checks):
        yield from _look_at_artifact(apart, scenario, smoked)


def _smoked(prepared: Prepared, scenario: Scenario) -> Smoked:
    try:
        return smoke(prepared, scenario)
    except GepaError as error:
        return Smoked([failed("plugins", str(error))])


def _log_tail(run_dir: Path) -> str:
    """Give the end of the container's log, which is gone with its directory."""
    try:
        lines = (run_dir / files.CONTAINER_LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    shown = "\n    ".join(lines[-_LOG_LINES:])
    return f"\n  the end of {files.CONTAINER_LOG}:\n    {shown}" if lines else ""


def _look_at_artifact(prepared: Prepared, scenario: Scenario, smoked: Smoked) -> Iterator[Check]:
    artifact = prepared.run_dir / scenario.artifact.path
    artifact.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(artifact, {"candidate_id": "seed", "components": dict(smoked.seed)})
    for command, look in (
        (scenario.validator, check_validator),
        (scenario.scorer, lambda done: check_scorer(scenario.score, done)),
    ):
        if command:
            done = run_command(
                filled(command, artifact=artifact),
                scenario.smoke.seconds,
                cwd=prepared.loaded.base_dir,
                environ=prepared.environ,
            )
            yield look(done)
