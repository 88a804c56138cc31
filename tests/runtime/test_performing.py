from __future__ import annotations

import asyncio
import math

import attrs
import pytest

from gepa_framework.engine import Describe, LoadProgram, LoadRows, ProposalFailure
from gepa_framework.errors import (
    ContainerContractError,
    PluginBrokenError,
    ProposerError,
    TransportError,
)
from gepa_framework.runtime import Aimd, AimdRule, Gate, RetryPolicy
from gepa_framework.runtime.attempts import rollout_id
from gepa_framework.types import (
    FailureKind,
    Proposal,
    RolloutFailure,
    RolloutResult,
    RowsRequest,
    Stage,
    TaskRow,
    Usage,
)
from gepa_framework.workspace import decode_outcome

BUSY = RolloutFailure(FailureKind.CONTAINER, "busy", "come back", retryable=True)
DEAD = RolloutFailure(FailureKind.CONTAINER, "dead", "for good")


def perform(performer, command, *, again=False):
    return asyncio.run(performer.perform(command, again=again))


def deep(levels):
    value = "bottom"
    for _ in range(levels):
        value = [value]
    return value


class Setup:
    """A transport whose set-up calls do as told."""

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        async def call(*_):
            given = self.answers[name]
            if isinstance(given, BaseException):
                raise given
            return given

        return call


class Says:
    """A proposer that answers with what it is given, or raises it."""

    def __init__(self, answer):
        self.answer = answer

    async def propose(self, request):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def test_a_rollout_is_asked_with_everything_that_belongs_to_it(kit):
    transport = kit.Transport()
    command = kit.rollout(stage=Stage.CHILD, iteration=4)
    done = perform(kit.performer(transport, policy={"model": "m"}), command)
    (request,) = transport.requests
    assert request.candidate is command.candidate
    assert request.row is command.row
    assert (request.stage, request.task_id, request.poll_first) == (Stage.CHILD, "skills", False)
    assert request.policy == {"model": "m"}
    assert request.rollout_id == rollout_id("r1", command.effect_id, 1)
    assert isinstance(done.outcome, RolloutResult)
    assert decode_outcome(done.encoded.kind, done.encoded.payload) == done.outcome
    assert (done.encoded.effect_id, done.superseded) == (command.effect_id, ())


def test_rollout_ids_tell_runs_effects_and_attempts_apart():
    ids = {rollout_id(run, effect, attempt) for run in "ab" for effect in "xy" for attempt in (1, 2)}
    assert len(ids) == 8
    assert rollout_id("a", "x", 1) == rollout_id("a", "x", 1)
    assert all(name.startswith("gepa_") and len(name) == 29 for name in ids)
    assert rollout_id("a", "\ud800", 1)


def test_what_may_be_under_way_already_is_polled_for_first(kit):
    transport = kit.Transport(lambda request: BUSY if len(transport.requests) < 3 else None)
    perform(kit.performer(transport), kit.rollout(), again=True)
    assert [request.poll_first for request in transport.requests] == [True, False, False]


def test_a_retryable_failure_is_tried_again_and_kept(kit):
    transport = kit.Transport(lambda request: BUSY if len(transport.requests) < 3 else None)
    done = perform(kit.performer(transport), kit.rollout())
    assert isinstance(done.outcome, RolloutResult)
    assert done.superseded == (BUSY, BUSY)
    ids = [request.rollout_id for request in transport.requests]
    assert ids == [rollout_id("r1", kit.rollout().effect_id, attempt) for attempt in (1, 2, 3)]


def test_tries_are_bounded_and_the_last_failure_stands(kit):
    transport = kit.Transport(lambda request: attrs.evolve(BUSY, message=f"{len(transport.requests)}"))
    done = perform(kit.performer(transport), kit.rollout())
    assert len(transport.requests) == 3
    assert done.outcome.message == "3"
    assert [failure.message for failure in done.superseded] == ["1", "2"]


def test_what_cannot_help_is_not_tried_again(kit):
    transport = kit.Transport(lambda request: DEAD)
    done = perform(kit.performer(transport), kit.rollout())
    assert (len(transport.requests), done.outcome, done.superseded) == (1, DEAD, ())


@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
def test_waits_double_within_their_jitter(attempt):
    policy = RetryPolicy(attempts=9, backoff_seconds=0.5)
    waits = [policy.wait(BUSY, attempt) for _ in range(200)]
    base = 0.5 * 2 ** (attempt - 1)
    assert 0.8 * base <= min(waits) < base < max(waits) <= 1.2 * base


def test_a_wait_that_the_container_asks_for_is_never_cut_short():
    policy = RetryPolicy(attempts=9, backoff_seconds=0.5)
    asked = attrs.evolve(BUSY, retry_after_seconds=7.0)
    assert {policy.wait(asked, 1) for _ in range(200)} == {7.0}
    assert policy.wait(attrs.evolve(BUSY, retry_after_seconds=0.0), 3) >= 1.6


@pytest.mark.parametrize("asked", [1e9, math.inf])
def test_no_wait_is_longer_than_a_minute(asked):
    policy = RetryPolicy(attempts=99, backoff_seconds=0.5)
    assert policy.wait(attrs.evolve(BUSY, retry_after_seconds=asked), 1) == 60.0
    assert policy.wait(BUSY, 40) == 60.0


def test_after_the_last_attempt_there_is_no_wait():
    policy = RetryPolicy(attempts=3, backoff_seconds=0.5)
    assert policy.wait(BUSY, 2) is not None
    assert policy.wait(BUSY, 3) is None
    assert policy.wait(DEAD, 1) is None


def raising(error):
    def answer(request):
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "kind", "code", "words"),
    [
        (raising(ZeroDivisionError("by zero")), "transport", "plugin_raised", "ZeroDivisionError: by zero"),
        (raising(TransportError("gone")), "transport", "plugin_raised", "TransportError: gone"),
        (raising(asyncio.CancelledError()), "transport", "plugin_raised", "cancelled from within"),
        (lambda request: RolloutResult(math.nan), "transport", "plugin_raised", "finite number"),
        (lambda request: "0.5", "contract", "wrong_type", "gave str for a rollout"),
        (lambda request: ProposalFailure("a", "b"), "contract", "wrong_type", "gave ProposalFailure"),
        (lambda request: RolloutResult(0.5, output={"x": math.nan}), "contract", "not_json", "not JSON"),
        (lambda request: RolloutResult(0.5, output={1, 2}), "contract", "not_json", "set is not JSON"),
        (lambda request: RolloutResult(0.5, output=b"x"), "contract", "not_json", "bytes is not JSON"),
        (lambda request: RolloutResult(0.5, objectives={"x": math.inf}), "contract", "not_json", "not JSON"),
        (
            lambda request: RolloutResult(0.5, feedback={"a": object()}),
            "contract",
            "not_json",
            "object is not",
        ),
        (lambda request: RolloutResult(0.5, output=deep(200)), "contract", "not_json", "deeper than 128"),
        (lambda request: RolloutResult(0.5, output=deep(90_000)), "contract", "not_json", "recursion"),
    ],
)
def test_a_transport_that_misbehaves_harms_that_rollout_only(kit, answer, kind, code, words):
    done = perform(kit.performer(kit.Transport(answer)), kit.rollout())
    assert isinstance(done.outcome, RolloutFailure)
    assert (done.outcome.kind.value, done.outcome.code) == (kind, code)
    assert words in done.outcome.message
    assert decode_outcome(done.encoded.kind, done.encoded.payload) == done.outcome


def test_a_rollout_that_is_cancelled_by_us_is_cancelled(kit):
    async def main():
        reached = asyncio.Event()

        async def hang():
            reached.set()
            await asyncio.Event().wait()

        transport = kit.Transport(lambda request: hang())
        task = asyncio.create_task(kit.performer(transport).perform(kit.rollout(), again=False))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return transport

    assert len(asyncio.run(main()).cancelled) == 1


def test_an_outcome_is_fed_just_as_the_journal_holds_it(kit):
    """Numbers as keys would sort one way in life and another way in a replay."""
    transport = kit.Transport(lambda request: RolloutResult(0.5, output={10: (1, 2), 2: "x"}))
    done = perform(kit.performer(transport), kit.rollout())
    assert done.outcome.output == {"10": [1, 2], "2": "x"}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (ProposerError("no answer", hint="log in"), "gepa_proposer_error", "no answer; log in"),
        (ValueError("odd"), "plugin_raised", "the proposer raised ValueError: odd"),
        (asyncio.CancelledError(), "plugin_raised", "cancelled from within"),
        (SystemExit(3), "plugin_raised", "tried to end the process: SystemExit: 3"),
        ("a text", "wrong_type", "the proposer gave str where Proposal was due"),
        (None, "wrong_type", "the proposer gave NoneType where Proposal was due"),
        (Proposal({"skills": "x"}, metadata={"x": math.nan}), "not_json", "the proposal is not JSON"),
        (Proposal({"skills": "x"}, metadata={"x": deep(500)}), "not_json", "deeper than 128"),
    ],
)
def test_a_proposer_that_misbehaves_costs_that_proposal_only(kit, answer, code, words):
    done = perform(kit.performer(proposer=Says(answer)), kit.propose())
    assert isinstance(done.outcome, ProposalFailure)
    assert done.outcome.code == code
    assert words in done.outcome.message


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit("odd")], ids=repr)
def test_where_a_plugin_raised_is_told_once(kit, caplog, error):
    """Events hold no paths, and an author needs one."""
    performer = kit.performer(proposer=Says(error))
    for _ in range(3):
        perform(performer, kit.propose())
    (record,) = caplog.records
    assert f" at {__file__}:" in record.getMessage()
    assert error in (record.exc_info[1], record.exc_info[1].__cause__)


def test_set_up_answers_are_passed_on(kit):
    performer = kit.performer()
    assert perform(performer, Describe("d")).outcome.name == "skills"
    assert perform(performer, LoadProgram("p")).outcome.targets == ("skills",)
    rows = perform(performer, LoadRows("r", RowsRequest("train", seeds=(3, 1)))).outcome
    assert [row.id for row in rows] == ["train:3", "train:1"]


ROW = TaskRow("a", "train")


@pytest.mark.parametrize(
    ("answers", "command", "error", "words"),
    [
        ({"describe": TransportError("no route")}, Describe("d"), TransportError, "no route"),
        ({"describe": OSError("odd")}, Describe("d"), PluginBrokenError, "the transport raised OSError: odd"),
        ({"describe": None}, Describe("d"), PluginBrokenError, "gave NoneType where ContainerInfo was due"),
        ({"program": {}}, LoadProgram("p"), PluginBrokenError, "gave dict where Program was due"),
        (
            {"rows": [ROW]},
            LoadRows("r", RowsRequest("s", ids=("a", "b"))),
            ContainerContractError,
            "2 rows of",
        ),
        (
            {"rows": [ROW, ROW]},
            LoadRows("r", RowsRequest("s", ids=("a", "b"))),
            ContainerContractError,
            "one id",
        ),
        (
            {"rows": [{}]},
            LoadRows("r", RowsRequest("s", ids=("a",))),
            PluginBrokenError,
            "where TaskRow was due",
        ),
        ({"rows": None}, LoadRows("r", RowsRequest("s", ids=("a",))), PluginBrokenError, "TypeError"),
        (
            {"rows": [TaskRow("a", "s", {"x": math.nan})]},
            LoadRows("r", RowsRequest("s", ids=("a",))),
            ContainerContractError,
            "r is not JSON",
        ),
    ],
)
def test_set_up_that_goes_wrong_is_a_typed_error(kit, answers, command, error, words):
    with pytest.raises(error, match=words):
        perform(kit.performer(Setup(**answers)), command)


def test_an_executor_is_given_every_call(kit):
    class Executor:
        def __init__(self):
            self.calls = 0

        async def submit(self, call):
            self.calls += 1
            return await call()

    executor = Executor()
    performer = kit.performer(executor=executor)
    for command in (Describe("d"), LoadProgram("p"), kit.rollout(), kit.propose()):
        perform(performer, command)
    perform(performer, LoadRows("r", RowsRequest("train", seeds=(1,))))
    assert executor.calls == 5


def test_an_executor_that_fails_is_a_failed_rollout(kit):
    class Executor:
        async def submit(self, call):
            raise ConnectionError("no worker")

    done = perform(kit.performer(executor=Executor()), kit.rollout())
    assert "ConnectionError: no worker" in done.outcome.message


HUGE = Usage(cost_usd=1e308)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (RolloutResult(reward=1e308), "a reward must be between -1e+100 and 1e+100, got 1e+308"),
        (RolloutResult(reward=-1e101), "got -1e+101"),
        (RolloutResult(reward=1.0, usage=HUGE), "US dollars, got 1e+308"),
        (RolloutResult(reward=1.0, usage=Usage(cost_usd=-0.5)), "US dollars, got -0.5"),
        (RolloutResult(reward=1.0, usage=Usage(prompt_tokens=10**300)), "a number of tokens"),
    ],
)
def test_figures_that_add_up_to_nothing_make_a_failed_rollout(kit, answer, words):
    outcome = perform(kit.performer(kit.Transport(lambda request: answer)), kit.rollout()).outcome
    assert (outcome.kind, outcome.code, outcome.retryable) == ("contract", "out_of_range", False)
    assert words in outcome.message


def test_the_largest_figures_pass(kit):
    usage = Usage(prompt_tokens=10**15, cost_usd=1e12)
    answer = RolloutResult(reward=-1e100, usage=usage)
    assert perform(kit.performer(kit.Transport(lambda request: answer)), kit.rollout()).outcome == answer


def test_a_failure_with_an_absurd_usage_keeps_its_words(kit):
    transport = kit.Transport(lambda request: attrs.evolve(DEAD, usage=HUGE))
    assert perform(kit.performer(transport), kit.rollout()).outcome == DEAD


def test_a_proposal_with_an_absurd_usage_is_a_failed_one(kit):
    given = perform(kit.performer(proposer=Says(Proposal({}, usage=HUGE))), kit.propose()).outcome
    assert isinstance(given, ProposalFailure)
    assert (given.code, given.usage.cost_usd) == ("out_of_range", None)


def overloaded(width, *, patience=600.0, backoff=0.0):
    """Give what a performer needs to hold back, with so many rollouts at once."""
    return {
        "retry": RetryPolicy(attempts=2, backoff_seconds=backoff, patience_seconds=patience),
        "gate": Gate(Aimd(AimdRule(width, 1, 8))),
    }


BUSY_504 = attrs.evolve(BUSY, code="http_504", http_status=504)
FULL_429 = attrs.evolve(BUSY, code="http_429", http_status=429)


def test_refusals_for_overload_are_not_among_the_attempts_that_count(kit):
    """At four at once two of them may help; the third finds one at once, and counts."""
    transport = kit.Transport(lambda request: BUSY_504)
    done = perform(kit.performer(transport, **overloaded(4)), kit.rollout())
    assert (len(transport.requests), done.outcome, len(done.superseded)) == (4, BUSY_504, 3)


def test_whoever_is_turned_away_waits_a_little_longer_each_time_whatever_is_configured(kit, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("gepa_framework.runtime.attempts.asyncio.sleep", sleep)
    transport = kit.Transport(lambda request: FULL_429 if len(transport.requests) < 6 else None)
    done = perform(kit.performer(transport, **overloaded(1)), kit.rollout())
    assert isinstance(done.outcome, RolloutResult)
    least = [0.8 * 0.05 * 2**number for number in range(5)]
    assert [wait >= bound for wait, bound in zip(slept, least, strict=True)] == [True] * 5


def test_what_asking_again_cannot_help_is_not_asked_again_for_overload_either(kit):
    transport = kit.Transport(lambda request: attrs.evolve(FULL_429, retryable=False))
    done = perform(kit.performer(transport, **overloaded(4)), kit.rollout())
    assert (len(transport.requests), done.superseded) == (1, ())


@pytest.mark.parametrize(
    "answer", ["\ud83d\ude00", "\ud800", r"\ud800", "plain"], ids=["two", "one", "r", "no"]
)
def test_what_is_fed_is_what_the_journal_gives_back_down_to_lone_surrogates(kit, answer):
    transport = kit.Transport(lambda _: RolloutResult(1.0, output=answer, usage=Usage(0, 0, 0, 0.0)))
    rolled = perform(kit.performer(transport), kit.rollout())
    proposed = perform(kit.performer(proposer=Says(Proposal({"skills": answer}))), kit.propose())
    for done in (rolled, proposed):
        assert decode_outcome(done.encoded.kind, done.encoded.payload) == done.outcome


@pytest.mark.parametrize(
    "usage",
    [
        Usage(0, 0, 0, -1.0),
        Usage(0, 0, 0, 1e13),
        Usage(-1, 0, 0, 0.0),
        Usage(0, -1, 0, 0.0),
        Usage(0, 0, 10**16, 0.0),
    ],
)
def test_usage_out_of_range_is_found_where_all_of_it_is_known(kit, usage):
    transport = kit.Transport(lambda _: RolloutResult(1.0, usage=usage))
    assert perform(kit.performer(transport), kit.rollout()).outcome.code == "out_of_range"
