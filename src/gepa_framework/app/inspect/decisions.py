"""The decision log of a run: what was decided, when, and with which numbers, a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from gepa_framework.app.inspect.record import Fact, Record

#: So many ids are named in one sentence.
_NAMED = 6


@attrs.frozen
class LogEntry:
    """One decision.

    Attributes:
        seq: Number of the event.
        elapsed_seconds: Time that the run had been worked on.
        event: The event's type.
        iteration: When; ``None`` for what belongs to none.
        candidate_id: Whom it is about; empty where it is about nobody.
        text: What was decided, in one sentence.
    """

    seq: int
    elapsed_seconds: float
    event: str
    iteration: int | None
    candidate_id: str
    text: str


def log_of(record: Record) -> tuple[LogEntry, ...]:
    """Give the log in the order of what happened."""
    return tuple(_entries(record))


def about(log: tuple[LogEntry, ...], candidate_id: str, iteration: int) -> tuple[LogEntry, ...]:
    """Give what a log says of one candidate and of the iteration that it comes from."""
    return tuple(
        entry
        for entry in log
        if entry.candidate_id == candidate_id
        or (iteration and entry.iteration == iteration and entry.event in _OF_ITERATIONS)
    )


def _entries(record: Record) -> Iterator[LogEntry]:
    for fact in record.facts:
        words = _WORDS.get(fact.type)
        if words is not None:
            yield _entry(fact, words(fact.body))


def _entry(fact: Fact, text: str) -> LogEntry:
    body = fact.body
    name = "" if fact.type in _OF_ITERATIONS else body.get("candidate_id", "")
    return LogEntry(fact.seq, fact.elapsed_seconds, fact.type, body.get("iteration"), name, text)


def number(value: float | None) -> str:
    """Give a number as sentences have it."""
    return "unknown" if value is None else f"{value:.4g}"


def _score(value: float | None, stderr: float | None) -> str:
    return number(value) if stderr is None else f"{number(value)} ± {number(stderr)}"


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _compared(body: Mapping[str, Any]) -> str:
    told = [f"{number(body['before'])} -> {number(body['after'])} on {body['rows']} rows"]
    told += [f"p {number(body['p'])}"] if body.get("p") is not None else []
    told += [f"evidence {number(body['evidence'])}"] if body.get("evidence") is not None else []
    return f"{', '.join(told)}, by {body['rule']}"


def _rejected(body: Mapping[str, Any]) -> str:
    numbers = f" ({_compared(body)})" if body["before"] is not None else ""
    return f"rejected against {body['parent_id']}: {body['reason']}{numbers}"


def _frontier(body: Mapping[str, Any]) -> str:
    best = f"best {body['best_candidate_id']} {_score(body['best_score'], body.get('best_stderr'))}"
    alone, tied = len(body["improved"]), len(body["tied"])
    front = f"frontier {len(body['survivors'])}, {best}"
    return f"joined the pool: alone best on {alone} cells, shares {tied}; {front}"


def _registered(body: Mapping[str, Any]) -> str:
    if not body["parent_ids"]:
        return "the seed"
    return f"from {_some(body['parent_ids'])} by {body['source']}, changes {_some(body['changed'])}"


def _verdict(body: Mapping[str, Any]) -> str:
    told = f"mean difference {number(body['mean_difference'])}, n={body['n']}, p {number(body['p'])}"
    return f"{body['verdict']} ({told}): {body['reason']}"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "candidate.registered": _registered,
    "candidate.accepted": lambda body: f"accepted against {body['parent_id']}: {_compared(body)}",
    "candidate.rejected": _rejected,
    "candidate.evaluated": lambda body: (
        f"{_score(body['score'], body.get('stderr'))} on {body['coverage']} of {body['rows']} Pareto rows"
    ),
    "candidate.duplicate_skipped": lambda _: "proposed again, equal to a known one; nothing was rolled out",
    "frontier.updated": _frontier,
    "iteration.started": lambda body: (
        f"parent {body['parent_id']} by {body['rule']}, minibatch of {len(body['rows'])} rows"
    ),
    "iteration.skipped": lambda body: f"skipped with parent {body['parent_id']}: {body['reason']}",
    "merge.proposed": lambda body: (
        f"merge of {_some(body['parent_ids'])}, which both come from {body['ancestor_id']}"
    ),
    "proposer.failed": lambda body: f"no proposal for {body['parent_id']}: {body['code']}: {body['message']}",
    "proposal.refused": lambda body: (
        f"answer {body['turn']} for {body['parent_id']} refused: {'; '.join(body['reasons'])}"
    ),
    "proposal.overtaken": lambda body: (
        f"{body['joined']} joined while {body['parent_id']} was being improved: {body['action']}"
    ),
    "proposal.leak_warned": lambda body: (
        f"{body['component']} quotes {body['chars']} characters of row {body['row_id']}"
    ),
    "gepa.stop": lambda body: f"the search stops: {body['message'] or body['kind']}",
    "heldout.started": lambda body: f"{body['rows']} heldout rows for {_some(body['candidates'])}",
    "heldout.completed": lambda body: (
        f"{body['role']}: {_score(body['score'], body['stderr'])} "
        f"on {body['coverage']} of {body['rows']} heldout rows"
    ),
    "heldout.verdict": _verdict,
    "deployment.decided": lambda body: f"given as the best, by {body['rule']}",
    "work.abandoned": lambda body: (
        f"given up under way: {body['rollouts']} rollouts, {body['proposals']} proposals"
    ),
    "gepa.run.extended": lambda body: f"limits raised: {_some(body['sets'])}",
    "gepa.run.finished": lambda body: (
        f"finished after {body['iterations']} iterations and {body['rollouts']} rollouts"
    ),
    "gepa.run.failed": lambda body: f"failed: {body['error_code']}: {body['message']}",
    "gepa.run.cancelled": lambda body: f"cancelled: {body['reason']}",
}

#: About an iteration as a whole: `candidate_id` is not theirs, or they have none.
_OF_ITERATIONS = frozenset(
    {
        "iteration.started",
        "iteration.skipped",
        "merge.proposed",
        "proposer.failed",
        "proposal.refused",
        "proposal.overtaken",
        "proposal.leak_warned",
    }
)
