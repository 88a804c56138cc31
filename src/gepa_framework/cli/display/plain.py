"""Plain lines on stderr, one for each thing worth telling, fit for logs and pipes."""

from __future__ import annotations

from collections import Counter
from functools import singledispatchmethod

from gepa_framework.cli import output
from gepa_framework.cli.display.decisions import decision
from gepa_framework.cli.display.facts import RunFacts
from gepa_framework.cli.display.progress import Progress
from gepa_framework.cli.words import count, dollars, duration, one_line, score, stderr_words, with_error
from gepa_framework.types import Event, EventBody
from gepa_framework.types import events as happened

#: Seconds of the run between two lines on rollouts under way.
PROGRESS_SECONDS = 5.0
#: Failed rollouts with one code that are told one by one.
TOLD_FAILURES = 3


class Narrator:
    """Tells a run in lines.

    Args:
        facts: What was known before it began.
        timed: Whether the events have a clock to be told.
    """

    def __init__(self, facts: RunFacts, *, timed: bool = True) -> None:
        self.progress = Progress(facts)
        self._timed = timed
        self._told_at = 0.0
        self._failures: Counter[str] = Counter()

    def opening(self) -> str:
        """Give the first line."""
        facts = self.progress.facts
        budget = count(facts.limit, "rollout")
        again = f", {count(facts.replayed, 'event')} on record" if facts.replayed else ""
        return f"run {facts.run_id} in {facts.run_dir}: {budget} at most{again}; {self.progress.phase}"

    def line(self, event: Event) -> str:
        """Give the line for an event; nothing for one that is not worth a line."""
        self.progress.take(event)
        if event.seq < self.progress.facts.replayed:
            return ""
        text = self._resumed() if event.seq == self.progress.facts.replayed else self._tell(event.body)
        if not text:
            return ""
        self._told_at = event.elapsed_seconds
        return f"[{duration(event.elapsed_seconds):>5}] {text}" if self._timed else text

    def _resumed(self) -> str:
        now = self.progress
        return f"resumed in iteration {now.iteration}, {now.phase_words()}; {self._standing()}"

    @singledispatchmethod
    def _tell(self, body: EventBody) -> str:
        return decision(body)

    @_tell.register
    def _(self, body: happened.ContractVerified) -> str:
        return f"container {one_line(body.name)} speaks {one_line(body.contract)}"

    @_tell.register
    def _(self, body: happened.ProgramLoaded) -> str:
        return f"program {one_line(body.program_id)}: improving {one_line(', '.join(body.targets))}"

    @_tell.register
    def _(self, body: happened.RowsLoaded) -> str:
        return f"{body.purpose}: {count(len(body.rows), 'row')} of split {one_line(body.split)}"

    @_tell.register
    def _(self, _: happened.RolloutCompleted) -> str:
        return self._rollouts_under_way()

    @_tell.register
    def _(self, body: happened.RolloutFailed) -> str:
        self._failures[body.code] += 1
        told = self._failures[body.code]
        if told > TOLD_FAILURES:
            return self._rollouts_under_way()
        more = "; further ones like it are only counted" if told == TOLD_FAILURES else ""
        what = f"{body.kind} {one_line(body.code)}: {one_line(body.message)}"
        return f"rollout failed on {one_line(body.row_id)}: {what}{more}"

    def _rollouts_under_way(self) -> str:
        if self.progress.elapsed - self._told_at < PROGRESS_SECONDS:
            return ""
        return f"{self.progress.phase_words()}; {self._standing()}"

    @_tell.register
    def _(self, body: happened.CandidateEvaluated) -> str:
        who = "the seed" if body.iteration == 0 else f"iteration {body.iteration}:"
        scores = with_error(body.score, body.stderr)
        return f"{who} {body.candidate_id} scores {scores} on {body.coverage} of {body.rows} rows"

    @_tell.register
    def _(self, body: happened.FrontierUpdated) -> str:
        best = with_error(body.best_score, body.best_stderr)
        return f"best {body.best_candidate_id} {best}; {self._standing()}"

    @_tell.register
    def _(self, body: happened.WorkAbandoned) -> str:
        parts = [(body.rollouts, "rollout"), (body.proposals, "proposal")]
        return f"let go of {' and '.join(count(*part) for part in parts if part[0])} under way"

    @_tell.register
    def _(self, body: happened.HeldoutStarted) -> str:
        skipped = f"; {count(len(body.skipped), 'tie')} beyond the budget" if body.skipped else ""
        candidates = count(len(body.candidates), "candidate")
        return f"heldout: {count(body.rows, 'row')} for {candidates}{skipped}"

    @_tell.register
    def _(self, body: happened.HeldoutCompleted) -> str:
        error = stderr_words(body.stderr)
        return f"heldout: {body.role} {score(body.score)} (n={body.coverage}, stderr {error})"

    @_tell.register
    def _(self, body: happened.RunFinished) -> str:
        return f"finished after {count(body.iterations, 'iteration')}; {self._standing()}"

    @_tell.register
    def _(self, body: happened.RunExtended) -> str:
        return f"limits raised: {one_line(', '.join(body.sets))}"

    @_tell.register
    def _(self, _: happened.RunFailed) -> str:
        return ""  # the error itself is told when the run is left

    def _standing(self) -> str:
        now = self.progress
        failed = f" ({now.failed} failed)" if now.failed else ""
        return (
            f"pool {now.pool}, frontier {now.frontier}, "
            f"rollouts {now.rollouts}/{now.facts.limit}{failed}, cost {cost_words(now)}"
        )


def cost_words(now: Progress) -> str:
    """Give the cost so far, and whether it may be more."""
    floor = "at least " if now.at_least and now.cost_usd is not None else ""
    return floor + dollars(now.cost_usd)


class PlainDisplay:
    """Writes the narrator's lines to stderr."""

    def __init__(self, facts: RunFacts) -> None:
        self._narrator = Narrator(facts)

    def start(self) -> None:
        """Write the first line."""
        output.talk(self._narrator.opening())

    def on_event(self, event: Event) -> None:
        """Write the event's line, if it has one."""
        if line := self._narrator.line(event):
            output.talk(line)

    def notice(self, text: str) -> None:
        """Write a line of its own."""
        output.talk(text)

    def close(self) -> None:
        """Nothing is held."""
