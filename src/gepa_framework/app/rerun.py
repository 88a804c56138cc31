"""A run whose directory is taken: the recorded result if it is the same run and finished, else an error."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import NoReturn

from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.differences import Difference, differences
from gepa_framework.app.extending import OPTION, may_be_raised
from gepa_framework.app.history import History
from gepa_framework.app.planning import decisive
from gepa_framework.app.prepare import Prepared
from gepa_framework.app.result import GepaRunResult
from gepa_framework.config import LoadedConfig, locate_problem
from gepa_framework.errors import RunStateError
from gepa_framework.runtime import Audience, Hub
from gepa_framework.types import JSONObject, Listener
from gepa_framework.workspace import check_end

_OTHER = "choose another run.run_id"


def finished_before(prepared: Prepared) -> History:
    """Give the history of a run that is finished and has the same configuration.

    Raises:
        RunStateError: It is unfinished, it failed or was cancelled, or its configuration is another one; the
            message names the first difference, with both values and the place of the present one.
        WorkspaceError: It cannot be read.
    """
    history = History.read(prepared.run_dir)
    _check_same(history, prepared)
    if history.record.ending != "gepa.run.finished":
        _refuse_unfinished(history)
    return history


def recorded_result(history: History, listeners: Sequence[Listener] = ()) -> GepaRunResult:
    """Replay a finished run without a world, and give its result; nothing is spent and nothing is written.

    Args:
        history: The run.
        listeners: Told of the events on record.

    Raises:
        WorkspaceError: The journal is damaged.
        ReplayDivergenceError: The machine decided otherwise than is on record.
    """
    chronicle = Chronicle()
    hub = Hub([Audience(type(each).__name__, each) for each in (chronicle, *listeners)])
    machine = history.machine()
    with closing(history.journal()) as journal:
        check_end(history.run_dir, journal)
        for event in history.replay(machine, journal):
            hub.publish([event])
    hub.close()
    return history.result(machine, chronicle)


def _refuse_unfinished(history: History) -> NoReturn:
    run_dir, body = history.run_dir, history.record.ending_body
    if history.record.ending == "gepa.run.failed":
        text = f"the run in {run_dir} failed ({body['error_code']}: {body['message']})"
        raise RunStateError(text, hint=f"mend that and {_OTHER}")
    if history.record.ending == "gepa.run.cancelled":
        text = f"the run in {run_dir} was cancelled ({body['reason']})"
        raise RunStateError(text, hint=_OTHER)
    raise RunStateError(
        f"there is an unfinished run in {run_dir}", hint=f"resume it (gepa resume {run_dir}), or {_OTHER}"
    )


def _check_same(history: History, prepared: Prepared) -> None:
    recorded, present = _deciding(history.present.loaded), _deciding(prepared.loaded)
    found = list(differences(recorded, present))
    if not found:
        return
    difference = _nearest(found, prepared.loaded)
    then, now = difference.shown()
    problem = locate_problem(
        prepared.loaded,
        difference.path,
        f"the run in {history.run_dir} has {then} here, and this configuration {now}",
    )
    raise RunStateError(str(problem), hint=_cure(history, difference))


def _nearest(found: Sequence[Difference], loaded: LoadedConfig) -> Difference:
    """Give the first difference that somebody wrote: some keys have an older name that says the same."""
    written = (each for each in found if each.path in loaded.positions or each.path in loaded.origins)
    return next(written, found[0])


def _deciding(loaded: LoadedConfig) -> JSONObject:
    """Give what two runs must have in common to be one; of `[run]` that is the seed alone."""
    decides = {name: value for name, value in decisive(loaded.resolved).items() if name != "disk_budget"}
    return {"run": {"seed": loaded.config.run.seed}, **decides}


def _cure(history: History, difference: Difference) -> str:
    path = difference.path
    raised = [each for each in history.raised if each.partition("=")[0] == path]
    if raised:
        return f"the run was extended by {OPTION} {raised[-1]}: write that into the file, or {_OTHER}"
    one, other = difference.one, difference.other
    numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (one, other))
    limited = path != "gepa.max_cost_usd" or bool(one)
    if may_be_raised(path) and numbers and limited and other > one:  # type: ignore[operator]
        return f"go on with it (gepa resume {history.run_dir} {OPTION} {path}={other}), or {_OTHER}"
    return _OTHER
