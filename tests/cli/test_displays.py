from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import attrs
import pytest
from rich.console import Console

from gepa_framework.cli.display import choose, make_display
from gepa_framework.cli.display.base import Guarded
from gepa_framework.cli.display.facts import RunFacts
from gepa_framework.cli.display.plain import TOLD_FAILURES, Narrator, cost_words
from gepa_framework.cli.display.progress import Progress
from gepa_framework.cli.display.rich_display import MAX_LINES, RichDisplay, panel
from gepa_framework.types import EVENT_TYPES, Event, EventBody
from gepa_framework.types import events as happened

SEED, CHILD = "gepa_00", "gepa_01"


@pytest.fixture
def facts() -> RunFacts:
    return RunFacts("first", Path("runs/first"), search_limit=40, heldout_limit=8, pareto_rows=2)


def completed(stage: str, iteration: int = 0, cost: float | None = 0.25, who: str = SEED) -> EventBody:
    return happened.RolloutCompleted(who, "train:0", stage, iteration, 1.0, {}, cost, 10)


def failed(code: str = "boom") -> EventBody:
    return happened.RolloutFailed(SEED, "train:1", "seed", 0, "container", code, "it\nburst")


def story() -> list[EventBody]:
    """Everything that can happen, once at least."""
    return [
        happened.RunStarted(0, "d", {}),
        happened.ContractVerified("svc", "synth/taskset", "d"),
        happened.ProgramLoaded("prog", "task", ("a", "b"), ("a", "b"), "d"),
        happened.RowsLoaded("train", "train", ("r1", "r2"), "d"),
        happened.RowsLoaded("heldout", "test", ("h1", "h2"), "d"),
        happened.CandidateRegistered(SEED, (), 0, "seed", {"a": "x"}, (), ""),
        completed("seed"),
        completed("seed"),
        happened.CandidateEvaluated(SEED, 0, 0.5, 2, 2, 0.5),
        happened.FrontierUpdated(SEED, 0, ("r1",), (), (SEED,), SEED, 0.5, 0.5),
        happened.IterationStarted(1, SEED, "pareto", ("r1",)),
        completed("parent", 1),
        happened.ProposerStarted(1, SEED, ("a",), 1, "d"),
        happened.ProposerCompleted(1, SEED, ("a",), "m", 0.5, 100),
        happened.CandidateRegistered(CHILD, (SEED,), 1, "proposal", {"a": "y"}, ("a",), "why"),
        completed("child", 1),
        happened.CandidateAccepted(CHILD, SEED, 1, "strict_improvement", 0.0, 1.0, 1.0, 1),
        completed("full", 1),
        completed("full", 1),
        happened.CandidateEvaluated(CHILD, 1, 0.75, 2, 2, 0.25),
        happened.FrontierUpdated(CHILD, 1, ("r1",), ("r2",), (SEED, CHILD), CHILD, 0.75, 0.25),
        happened.IterationStarted(2, CHILD, "pareto", ("r2",)),
        happened.IterationSkipped(2, CHILD, "nothing to learn"),
        happened.IterationStarted(3, CHILD, "pareto", ("r2",)),
        happened.ProposerStarted(3, CHILD, ("a",), 1, "d"),
        happened.ProposalRefused(3, CHILD, 1, ("it is\nempty", "and cut off"), "m", "m", 0.25, 9),
        happened.ProposalLeakWarned(3, CHILD, "a", "r2", "to be or", 40),
        happened.ProposerFailed(3, CHILD, "refused", "not\ntoday"),
        happened.IterationStarted(4, CHILD, "pareto", ("r2",)),
        happened.CandidateDuplicateSkipped(SEED, 4),
        happened.IterationStarted(5, CHILD, "pareto", ("r2",)),
        happened.CandidateRejected("gepa_02", CHILD, 5, "strict_improvement", "worse", 1.0, 0.0, -1.0, 1),
        happened.ProposalOvertaken(6, SEED, 3, "sent_back"),
        happened.MergeProposed(6, (SEED, CHILD), SEED, {"a": CHILD}),
        happened.StopDecided("max_rollouts", 40, 39, "39 of 40 are used", 5),
        happened.WorkAbandoned(3, 1),
        happened.HeldoutStarted((SEED, CHILD), 2, ("gepa_03",)),
        completed("heldout", 5),
        happened.HeldoutCompleted(SEED, "seed", 0.5, 0.1, 2, 2),
        happened.HeldoutCompleted(CHILD, "best", 1.0, None, 1, 2),
        happened.HeldoutVerdict("inconclusive", CHILD, 1, 1, 0.5, None, 0.5, 0.95, "only\n1 row differs"),
        happened.DeploymentDecided(CHILD, "optimization_selected"),
        happened.RunFinished(CHILD, 0.75, 5, 2, 7, 0, 2.25, 200),
        happened.RunExtended({"train_rollouts": 80}, ("gepa.max_total_rollouts=88",)),
    ]


def events(bodies: list[EventBody], seconds: float = 1.0) -> list[Event]:
    return [Event(seq, seq * seconds, body) for seq, body in enumerate(bodies, start=1)]


def told(facts: RunFacts, bodies: list[EventBody], seconds: float = 0.0) -> list[str]:
    narrator = Narrator(facts)
    return [line for event in events(bodies, seconds) if (line := narrator.line(event))]


PLAIN = """\
[ 0:00] container svc speaks synth/taskset
[ 0:00] program prog: improving a, b
[ 0:00] train: 2 rows of split train
[ 0:00] heldout: 2 rows of split test
[ 0:00] the seed gepa_00 scores 0.500 ± 0.500 on 2 of 2 rows
[ 0:00] best gepa_00 0.500 ± 0.500; pool 1, frontier 1, rollouts 2/48, cost $0.5000
[ 0:00] iteration 1: accepted gepa_01, 0.000 -> 1.000 in sum over 1 rows
[ 0:00] iteration 1: gepa_01 scores 0.750 ± 0.250 on 2 of 2 rows
[ 0:00] best gepa_01 0.750 ± 0.250; pool 2, frontier 2, rollouts 6/48, cost $2.0000
[ 0:00] iteration 2: skipped, nothing to learn
[ 0:00] iteration 3: proposal refused, it is empty; and cut off; asked again
[ 0:00] iteration 3: warning, a quotes 40 characters of r2: to be or
[ 0:00] iteration 3: no proposal, refused: not today
[ 0:00] iteration 4: skipped, gepa_00 was proposed before
[ 0:00] iteration 5: rejected gepa_02, worse (1.000 -> 0.000 in sum over 1 rows)
[ 0:00] iteration 6: the proposal was overtaken by 3, sent back
[ 0:00] iteration 6: merging gepa_00 and gepa_01
[ 0:00] stop: 39 of 40 are used
[ 0:00] let go of 3 rollouts and 1 proposal under way
[ 0:00] heldout: 2 rows for 2 candidates; 1 tie beyond the budget
[ 0:00] heldout: seed 0.500 (n=2, stderr 0.100)
[ 0:00] heldout: best 1.000 (n=1, stderr unknown)
[ 0:00] verdict: inconclusive (mean difference +0.500, n=1, stderr unknown, p 0.5, confidence 0.95): \
only 1 row differs
[ 0:00] deployed: gepa_01 by optimization_selected
[ 0:00] finished after 5 iterations; pool 2, frontier 2, rollouts 7/48, cost $2.2500
[ 0:00] limits raised: gepa.max_total_rollouts=88"""


def test_the_story_tells_of_everything_but_the_ends_that_are_errors() -> None:
    untold = set(EVENT_TYPES.values()) - {type(body) for body in story()}
    assert untold == {happened.RolloutFailed, happened.RunFailed, happened.RunCancelled}


def test_plain_tells_one_line_for_each_decision(facts) -> None:
    assert "\n".join(told(facts, story())) == PLAIN


def test_plain_tells_how_far_a_long_evaluation_has_come(facts) -> None:
    long = [happened.CandidateRegistered(SEED, (), 0, "seed", {}, (), ""), *[completed("seed")] * 12]
    lines = told(attrs.evolve(facts, pareto_rows=100), long, seconds=1.0)
    assert len(lines) == 2
    assert lines[0] == (
        "[ 0:05] evaluating the seed, 4 of 100 rollouts; pool 0, frontier 0, rollouts 4/48, cost $1.0000"
    )


def test_plain_tells_the_first_failures_of_a_code_and_counts_the_rest(facts) -> None:
    lines = told(facts, [failed()] * 10 + [failed("other")])
    assert len(lines) == TOLD_FAILURES + 1
    assert lines[0] == "[ 0:00] rollout failed on train:1: container boom: it burst"
    assert lines[2].endswith("; further ones like it are only counted")
    assert "container other: it burst" in lines[3]


def test_plain_shows_no_code_that_steers_the_terminal(facts) -> None:
    bodies = [failed("x\x1b[31m" * 200), happened.ProposerFailed(1, SEED, "y\n\x1b[2J", "")]
    lines = told(facts, bodies)
    assert not any(char in line for line in lines for char in "\x1b\n")
    assert max(map(len, lines)) < 400


def test_plain_leaves_the_error_of_a_failed_run_to_the_end(facts) -> None:
    assert told(facts, [happened.RunFailed("gepa_x", "it broke", {})]) == []
    assert told(facts, [happened.RunCancelled("enough")]) == ["[ 0:00] cancelled: enough"]


def test_plain_does_not_tell_what_is_on_record_again(facts) -> None:
    lines = told(attrs.evolve(facts, replayed=21), story())
    assert lines[0] == (
        "[ 0:00] resumed in iteration 1, choosing a parent; pool 2, frontier 2, rollouts 6/48, cost $2.0000"
    )
    assert lines[1:] == PLAIN.splitlines()[9:]


def test_progress_counts_rollouts_of_the_phase_and_of_the_run(facts) -> None:
    progress = Progress(facts)
    for event in events([*story()[:7], failed()]):
        progress.take(event)
    assert (progress.done, progress.expected, progress.rollouts, progress.failed) == (2, 2, 2, 1)
    assert progress.phase_words() == "evaluating the seed, 2 of 2 rollouts"


def test_a_cost_that_is_unknown_once_stays_unknown(facts) -> None:
    progress = Progress(facts)
    for event in events([completed("seed"), completed("seed", cost=None), completed("seed")]):
        progress.take(event)
    assert cost_words(progress) == "unknown"


def test_a_failed_rollout_makes_the_cost_a_lower_bound_until_the_books_are_closed(facts) -> None:
    progress = Progress(facts)
    for event in events([completed("seed"), failed()]):
        progress.take(event)
    assert cost_words(progress) == "at least $0.2500"
    progress.take(Event(3, 3.0, happened.RunFinished(SEED, 0.5, 0, 1, 2, 1, 0.75, None)))
    assert cost_words(progress) == "$0.7500"


def lines_of(progress: Progress, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(panel(progress, 12.0))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [10, 20, 40, 80, 200])
def test_the_panel_is_never_longer_than_twelve_lines(facts, width: int) -> None:
    name = "component\nwith a long name " * 20
    ends = [
        happened.RunFailed("gepa_x", name, {}),
        happened.RunCancelled(name),
        happened.StopDecided("k", 1, 2, name, 9),
        failed(),
    ]
    progress = Progress(attrs.evolve(facts, run_id="r" * 128))
    assert len(lines_of(progress, width)) <= MAX_LINES
    for event in events([*story(), *ends]):
        progress.take(event)
        lines = lines_of(progress, width)
        assert len(lines) <= MAX_LINES
        assert max(map(len, lines)) <= width


def test_the_panel_shows_budget_score_pool_cost_and_the_last_decision(facts) -> None:
    progress = Progress(facts)
    for event in events(story()[:32]):
        progress.take(event)
    text = "\n".join(lines_of(progress, 120))
    for words in (
        "first",
        "6/48 rollouts",
        "iteration 5 · ",
        "seed 0.500 ± 0.500 -> best 0.750 ± 0.250 gepa_01",
        "2 candidates, 2 on the frontier",
        "at least $2.2500",
        "iteration 5: rejected gepa_02, worse",
        "0:12",
    ):
        assert words in text


def test_the_panel_says_at_once_that_the_container_is_starting(facts) -> None:
    assert "starting container…" in "\n".join(lines_of(Progress(facts), 80))


def test_the_live_panel_follows_the_events_and_lets_words_through(facts) -> None:
    console = Console(
        file=io.StringIO(), force_terminal=True, width=100, height=40, _environ={"TERM": "xterm"}
    )
    display = RichDisplay(facts, console)
    display.start()
    assert "starting container…" in console.file.getvalue()  # type: ignore[attr-defined]
    for event in events(story()):
        display.on_event(event)
    display.notice("mind [bold]this[/bold] \x1b[2J")
    display.close()
    display.close()
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "mind [bold]this[/bold] \ufffd[2J" in text
    assert "7/48 rollouts" in text
    assert text.count("\x1b[?25h") == 1


def test_a_panel_that_cannot_be_drawn_says_so_in_its_place(facts, monkeypatch) -> None:
    def broken(*args):
        raise ZeroDivisionError("no panel")

    monkeypatch.setattr("gepa_framework.cli.display.rich_display.panel", broken)
    console = Console(
        file=io.StringIO(), force_terminal=True, width=100, height=40, _environ={"TERM": "xterm"}
    )
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    display = RichDisplay(facts, console)
    display.start()
    display.close()
    assert "the panel cannot be drawn: ZeroDivisionError: no panel" in console.file.getvalue()  # type: ignore[attr-defined]
    assert failures == []


@pytest.mark.parametrize(
    ("wanted", "terminal", "environ", "chosen"),
    [
        ("auto", True, {"TERM": "xterm"}, "rich"),
        ("auto", False, {"TERM": "xterm"}, "plain"),
        ("auto", True, {"TERM": "xterm", "CI": "true"}, "plain"),
        ("auto", True, {"TERM": "xterm", "CI": ""}, "rich"),
        ("auto", True, {"TERM": "dumb"}, "plain"),
        ("auto", True, {"TERM": "xterm", "NO_COLOR": "1"}, "rich"),
        ("rich", True, {"TERM": "xterm", "CI": "true"}, "rich"),
        ("rich", False, {"TERM": "xterm"}, "plain"),
        ("rich", True, {"TERM": "dumb"}, "plain"),
        ("plain", True, {"TERM": "xterm"}, "plain"),
        ("jsonl", True, {"TERM": "xterm"}, "jsonl"),
        ("none", True, {"TERM": "xterm"}, "none"),
    ],
)
def test_the_display_follows_wish_terminal_and_environment(wanted, terminal, environ, chosen) -> None:
    assert choose(wanted, environ, terminal=terminal) == chosen


def test_a_panel_that_was_asked_for_in_vain_is_not_dropped_without_a_word(facts, capsys) -> None:
    make_display("rich", facts).start()
    talk = capsys.readouterr().err.splitlines()
    assert talk[0].startswith("warning: stderr is no terminal")
    assert talk[1].startswith("run first in runs/first: 48 rollouts at most")


class Faulty:
    """A display that raises where it is told to, and counts its calls."""

    def __init__(self, *where: str) -> None:
        self.where = where
        self.calls: list[str] = []

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.where:
            raise ZeroDivisionError(name)

    def start(self) -> None:
        self._called("start")

    def on_event(self, event: Event) -> None:
        self._called("on_event")

    def notice(self, text: str) -> None:
        self._called("notice")

    def close(self) -> None:
        self._called("close")


@pytest.mark.parametrize("where", ["start", "on_event", "notice", "close"])
def test_a_faulty_display_is_given_up_with_one_warning(where: str, capsys) -> None:
    faulty = Faulty(where, "close")
    display = Guarded(faulty)
    display.start()
    for event in events(story()[:2]):
        display.on_event(event)
    display.notice("words")
    display.notice("more words")
    display.close()
    talk = capsys.readouterr().err.splitlines()
    assert sum("the display failed" in line for line in talk) == 1
    assert f"(ZeroDivisionError: {where})" in "\n".join(talk)
    assert faulty.calls.count(where) <= (2 if where == "close" else 1)
    assert ("words" in talk) == (where in ("start", "on_event", "notice"))


def test_jsonl_spells_every_event_in_ascii(facts, capsys) -> None:
    display = make_display("jsonl", facts)
    display.start()
    display.on_event(Event(1, 0.5, happened.RunCancelled("schluß \udc80")))
    display.close()
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {
        "seq": 1,
        "elapsed_seconds": 0.5,
        "type": "gepa.run.cancelled",
        "reason": "schluß \udc80",
    }


def test_none_is_silent_but_for_what_must_be_said(facts, capsys) -> None:
    display = make_display("none", facts)
    display.start()
    display.on_event(Event(1, 0.0, happened.RunCancelled("enough")))
    display.notice("interrupted")
    display.close()
    assert capsys.readouterr() == ("", "interrupted\n")
