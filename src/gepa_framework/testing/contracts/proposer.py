"""What holds for every proposer."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeAlias, TypeVar

import attrs
import pytest

from gepa_framework.errors import ProposerError
from gepa_framework.testing.contracts.info import CANARY, PluginInfoContract, build, forgotten
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.playing import play, refuse_leftovers
from gepa_framework.types import (
    BuildContext,
    Capability,
    Kind,
    Preflight,
    Proposal,
    ProposalRequest,
    Proposer,
    Usage,
    canonical_json,
)

T = TypeVar("T")
OpenProposer: TypeAlias = "Callable[[], Proposer]"
_AT_ONCE = 4


@asynccontextmanager
async def _opened(open_proposer: OpenProposer) -> AsyncIterator[Proposer]:
    proposer = open_proposer()
    try:
        yield proposer
    finally:
        await proposer.close()


def _with(open_proposer: OpenProposer, scene: Callable[[Proposer], Coroutine[Any, Any, T]]) -> T:
    async def main() -> T:
        async with _opened(open_proposer) as proposer:
            return await scene(proposer)

    return play(main())


class _ProposerContract(PluginInfoContract):
    kind = Kind.PROPOSER

    @pytest.fixture
    def open_proposer(self, plugin: object, config: object, context: BuildContext) -> OpenProposer:
        """Give what builds a new proposer."""
        return lambda: build(plugin, config, context)


class ProposerContract(_ProposerContract):
    """Tests of a proposer. Override `plugin`, `config` where keys are needed, and `proposal_request`."""

    @pytest.fixture
    def proposal_request(self) -> ProposalRequest:
        """Give a request that it answers with a change.

        `gepa_framework.testing.samples.sample_request` makes one; keywords replace its fields.
        """
        forgotten(self, "proposal_request", "it returns a request that the proposer answers with a change")

    @pytest.fixture
    def proposal(self, open_proposer: OpenProposer, proposal_request: ProposalRequest) -> Proposal:
        """Give the answer to that request."""
        return _with(open_proposer, lambda proposer: proposer.propose(proposal_request))

    def test_it_answers_with_a_proposal(self, proposal: Proposal) -> None:
        """Nothing else is taken for one."""
        assert type(proposal) is Proposal

    def test_it_changes_something(self, proposal: Proposal, proposal_request: ProposalRequest) -> None:
        """A proposal that is the parent again costs a proposal and brings nothing."""
        before = proposal_request.parent.components
        texts = {name: text for name, text in proposal.components.items() if before.get(name) != text}
        assert texts or any(proposal.edits.values()), "the answer changes no text"

    def test_it_changes_only_what_it_may(self, proposal: Proposal, proposal_request: ProposalRequest) -> None:
        """Components that are not in ``request.components`` stay as they are."""
        touched = {*proposal.components, *proposal.edits}
        assert touched <= set(proposal_request.components)

    def test_a_component_is_written_or_edited(self, proposal: Proposal) -> None:
        """It cannot be both, since nobody could say which comes first."""
        assert not {*proposal.components} & {*proposal.edits}

    def test_its_texts_are_texts(self, proposal: Proposal) -> None:
        """They can be written down as UTF-8."""
        for text in proposal.components.values():
            assert isinstance(text, str)
            text.encode()

    def test_its_edits_find_their_piece_once(
        self, proposal: Proposal, proposal_request: ProposalRequest
    ) -> None:
        """Each occurs exactly once in the text as the edits before it have left it."""
        for name, edits in proposal.edits.items():
            text = proposal_request.parent.components[name]
            for edit in edits:
                assert text.count(edit.search) == 1, (
                    f"{name}: {edit.search!r} occurs {text.count(edit.search)}x"
                )
                text = text.replace(edit.search, edit.replace)

    def test_it_says_why(self, proposal: Proposal) -> None:
        """The rationale stands on record and in reports."""
        assert proposal.rationale.strip()

    def test_its_usage_is_a_usage(self, proposal: Proposal) -> None:
        """Unknown is ``None``, and nothing is below zero."""
        assert_usage(proposal.usage)

    def test_what_belongs_on_the_record_is_json(self, proposal: Proposal) -> None:
        """`metadata` is written into the journal."""
        assert canonical_json(proposal.metadata)

    def test_the_request_is_left_as_it_was(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """It is hashed, kept, and perhaps asked again."""
        before = _as_json(proposal_request)
        _with(open_proposer, lambda proposer: proposer.propose(proposal_request))
        assert _as_json(proposal_request) == before

    def test_secrets_stay_where_they_are(
        self,
        open_proposer: OpenProposer,
        proposal_request: ProposalRequest,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A key of the environment is in no text, no rationale and no line of the log."""
        with caplog.at_level(logging.DEBUG):
            answer = _with(open_proposer, lambda proposer: proposer.propose(proposal_request))
        assert CANARY not in _as_json(answer)
        assert CANARY not in caplog.text

    def test_it_can_be_asked_again(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """One proposer serves a whole run."""

        async def scene(proposer: Proposer) -> list[Proposal]:
            return [await proposer.propose(proposal_request) for _ in range(2)]

        assert [type(each) for each in _with(open_proposer, scene)] == [Proposal, Proposal]

    def test_a_cancelled_call_ends_and_harms_no_other(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """A run that is stopped waits for nobody, and the next call is answered."""

        async def scene(proposer: Proposer) -> Proposal:
            task = asyncio.create_task(proposer.propose(proposal_request))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
            return await proposer.propose(proposal_request)

        assert type(_with(open_proposer, scene)) is Proposal

    def test_it_looks_before_it_is_needed(self, open_proposer: OpenProposer) -> None:
        """`preflight`, where it is offered, finds everything that the test has set up."""

        async def scene(proposer: Proposer) -> None:
            if isinstance(proposer, Preflight):
                await proposer.preflight()

        _with(open_proposer, scene)

    def test_closing_may_be_repeated(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """Closing what is closed does nothing."""

        async def scene(proposer: Proposer) -> None:
            await proposer.propose(proposal_request)
            await proposer.close()
            await proposer.close()

        _with(open_proposer, scene)

    def test_closing_one_that_was_never_used_is_fine(self, open_proposer: OpenProposer) -> None:
        """A run may fail before its first proposal."""
        _with(open_proposer, lambda proposer: proposer.close())

    def test_closing_leaves_nothing_running(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """No task, thread, connection or process outlives it."""
        before = Traces.now()

        async def scene(proposer: Proposer) -> None:
            await proposer.propose(proposal_request)
            await proposer.close()
            await refuse_leftovers()

        _with(open_proposer, scene)
        assert before.left_since() == {}


class ConcurrentProposerContract(ProposerContract):
    """Tests of a proposer that is asked several times at once: it declares `Capability.CONCURRENT`."""

    capability: ClassVar[Capability | None] = Capability.CONCURRENT

    def test_several_at_once_are_all_answered(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """Each gets a proposal of its own."""

        async def scene(proposer: Proposer) -> list[Proposal]:
            asked = [attrs.evolve(proposal_request, proposal_id=f"p{n}", seed=n) for n in range(_AT_ONCE)]
            return await asyncio.gather(*map(proposer.propose, asked))

        assert [type(each) for each in _with(open_proposer, scene)] == [Proposal] * _AT_ONCE

    def test_one_that_is_cancelled_leaves_the_others(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """They go on and are answered."""

        async def scene(proposer: Proposer) -> list[Any]:
            asked = [attrs.evolve(proposal_request, proposal_id=f"p{n}", seed=n) for n in range(_AT_ONCE)]
            tasks = [asyncio.create_task(proposer.propose(each)) for each in asked]
            await asyncio.sleep(0)
            tasks[0].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

        assert [type(each) for each in _with(open_proposer, scene)[1:]] == [Proposal] * (_AT_ONCE - 1)


class DeterministicProposerContract(ProposerContract):
    """Tests of a proposer that answers equal requests equally: it declares `Capability.DETERMINISTIC`."""

    capability: ClassVar[Capability | None] = Capability.DETERMINISTIC

    def test_equal_requests_get_equal_answers(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """From two proposers, as from two processes."""
        answers = [_with(open_proposer, lambda each: each.propose(proposal_request)) for _ in range(2)]
        assert answers[0] == answers[1]

    def test_what_was_asked_before_does_not_count(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """A proposer keeps nothing between calls: all that it may know is in the request."""
        other = attrs.evolve(proposal_request, proposal_id="another", seed=proposal_request.seed + 1)

        async def scene(proposer: Proposer) -> list[Proposal]:
            return [await proposer.propose(each) for each in (proposal_request, other, proposal_request)]

        first, _, again = _with(open_proposer, scene)
        assert first == again


class FailingProposerContract(_ProposerContract):
    """Tests of a proposer that cannot propose. Override what makes it fail, and `proposal_request`.

    A class of its own beside that of the `ProposerContract`: here `config` may name a provider that is down,
    or `proposal_request` give a request that nobody could answer.
    """

    covers = frozenset(Capability)

    @pytest.fixture
    def proposal_request(self) -> ProposalRequest:
        """Give the request that fails."""
        forgotten(self, "proposal_request", "it returns a request that cannot be answered")

    @pytest.fixture
    def failure(self, open_proposer: OpenProposer, proposal_request: ProposalRequest) -> ProposerError:
        """Give the error that it ends in."""

        async def scene(proposer: Proposer) -> ProposerError:
            with pytest.raises(ProposerError) as caught:
                await proposer.propose(proposal_request)
            return caught.value

        return _with(open_proposer, scene)

    def test_a_failure_is_a_proposer_error(self, failure: ProposerError) -> None:
        """Anything else is a bug of the plugin, and is told as one."""
        assert failure.message.strip()

    def test_a_failure_says_what_it_cost(self, failure: ProposerError) -> None:
        """As a `Usage`, or as nothing where that is unknown."""
        assert failure.usage is None or isinstance(failure.usage, Usage)
        if isinstance(failure.usage, Usage):
            assert_usage(failure.usage)

    def test_a_failure_holds_no_secret(self, failure: ProposerError) -> None:
        """It stands on record and is shown."""
        assert CANARY not in f"{failure} {failure.__cause__!r} {failure.__context__!r}"

    def test_a_failure_leaves_nothing_running(
        self, open_proposer: OpenProposer, proposal_request: ProposalRequest
    ) -> None:
        """No task, thread, connection or process outlives `close`."""
        before = Traces.now()

        async def scene(proposer: Proposer) -> None:
            with pytest.raises(ProposerError):
                await proposer.propose(proposal_request)

        _with(open_proposer, scene)
        assert before.left_since() == {}


def assert_usage(usage: Usage) -> None:
    """Refuse counts that nobody can have used.

    Raises:
        AssertionError: It is no `Usage`, or something in it is negative, fractional or not finite.
    """
    assert type(usage) is Usage
    for tokens in (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens):
        assert tokens is None or (type(tokens) is int and tokens >= 0), f"no number of tokens: {tokens!r}"
    cost = usage.cost_usd
    assert cost is None or (math.isfinite(cost) and cost >= 0), f"no number of dollars: {cost!r}"


def _as_json(value: Any) -> str:
    return canonical_json(attrs.asdict(value, value_serializer=lambda _, __, each: _plain(each)))


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value
