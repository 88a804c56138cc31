"""What holds for every transport; for those that speak HTTP, see `http_transport`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeAlias, TypeVar

import attrs
import pytest

from gepa_framework.errors import GepaError
from gepa_framework.testing.contracts.info import PluginInfoContract, build, forgotten
from gepa_framework.testing.contracts.proposer import assert_usage
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.playing import play, refuse_leftovers
from gepa_framework.types import (
    BuildContext,
    Candidate,
    Capability,
    ContainerInfo,
    Kind,
    Preflight,
    Program,
    RolloutFailure,
    RolloutRequest,
    RolloutResult,
    RowsRequest,
    Stage,
    TaskRow,
    Transport,
    canonical_json,
)

T = TypeVar("T")
OpenTransport: TypeAlias = "Callable[[], Transport]"
_AT_ONCE = 4


@asynccontextmanager
async def opened(open_transport: OpenTransport) -> AsyncIterator[Transport]:
    """Give a transport and close it."""
    transport = open_transport()
    try:
        yield transport
    finally:
        await transport.close()


def with_transport(open_transport: OpenTransport, scene: Callable[[Transport], Coroutine[Any, Any, T]]) -> T:
    """Play a scene with a transport; nothing may be left of it."""

    async def main() -> T:
        async with opened(open_transport) as transport:
            return await scene(transport)

    return play(main())


async def first_rollout(transport: Transport, wanted: RowsRequest, **changes: Any) -> RolloutRequest:
    """Make the request of the seed candidate on the first row."""
    program = await transport.program()
    rows = await transport.rows(wanted)
    request = RolloutRequest(
        "rollout-1", Candidate.of(program.seed), rows[0], Stage.SEED, task_id=program.task_id
    )
    return attrs.evolve(request, **changes)


class TransportContract(PluginInfoContract):
    """Tests of a transport. Override `plugin`, `config` where keys are needed, and `wanted_rows`."""

    kind = Kind.TRANSPORT

    @pytest.fixture
    def wanted_rows(self) -> RowsRequest:
        """Give a request of two rows or more that the container has; its first one gets a score."""
        forgotten(self, "wanted_rows", "it returns a RowsRequest of two rows or more of the container")

    @pytest.fixture
    def open_transport(self, plugin: object, config: object, context: BuildContext) -> OpenTransport:
        """Give what builds a new transport, to the same container each time."""
        return lambda: build(plugin, config, context)

    @pytest.fixture
    def program(self, open_transport: OpenTransport) -> Program:
        """Give the program of the container."""
        return with_transport(open_transport, lambda transport: transport.program())

    @pytest.fixture
    def rows(self, open_transport: OpenTransport, wanted_rows: RowsRequest) -> list[TaskRow]:
        """Give the rows of the container."""

        async def scene(transport: Transport) -> list[TaskRow]:
            return list(await transport.rows(wanted_rows))

        return with_transport(open_transport, scene)

    # -- the task

    def test_the_container_is_described(self, open_transport: OpenTransport) -> None:
        """By name and contract, in JSON that is the same each time."""
        first, second = (with_transport(open_transport, lambda each: each.describe()) for _ in range(2))
        assert type(first) is ContainerInfo
        assert first.name
        assert first.contract
        assert canonical_json(first.raw) == canonical_json(second.raw)
        assert first == second

    def test_the_targets_of_a_program_are_components(self, program: Program) -> None:
        """There is one at least, and each is declared."""
        assert program.targets
        assert set(program.targets) <= {component.name for component in program.components}

    def test_a_program_has_a_text_for_each_component(self, program: Program) -> None:
        """The seed candidate is whole."""
        assert {component.name for component in program.components} == set(program.seed)
        assert all(type(text) is str for text in program.seed.values())

    def test_rows_are_as_many_as_asked_for(self, rows: list[TaskRow], wanted_rows: RowsRequest) -> None:
        """None is missing."""
        assert len(rows) == len(wanted_rows) > 1

    def test_rows_have_names_of_their_own(self, rows: list[TaskRow]) -> None:
        """Each has an identity in its split."""
        assert all(row.id for row in rows)
        assert len({row.id for row in rows}) == len(rows)

    def test_rows_come_in_the_order_asked_for(
        self, open_transport: OpenTransport, rows: list[TaskRow], wanted_rows: RowsRequest
    ) -> None:
        """Asked for the other way round, they come the other way round."""
        turned = attrs.evolve(wanted_rows, ids=wanted_rows.ids[::-1], seeds=wanted_rows.seeds[::-1])
        again = with_transport(open_transport, lambda transport: transport.rows(turned))
        assert [row.id for row in again] == [row.id for row in rows][::-1]

    def test_rows_are_of_the_split_asked_for(self, rows: list[TaskRow], wanted_rows: RowsRequest) -> None:
        """A row knows where it comes from."""
        assert {row.split for row in rows} == {wanted_rows.split}

    def test_rows_are_json(self, rows: list[TaskRow]) -> None:
        """They are digested, kept and sent back."""
        for row in rows:
            assert canonical_json(row.data)

    # -- rollouts

    def test_a_rollout_is_scored(self, open_transport: OpenTransport, wanted_rows: RowsRequest) -> None:
        """The seed candidate on the first row gets a finite reward."""
        outcome = _rolled_out(open_transport, wanted_rows)
        assert isinstance(outcome, RolloutResult), f"it failed: {outcome}"
        assert math.isfinite(outcome.reward)

    def test_an_outcome_can_be_written_down(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """All that it holds goes into the journal."""
        outcome = _rolled_out(open_transport, wanted_rows)
        assert isinstance(outcome, RolloutResult), f"it failed: {outcome}"
        told = {"output": outcome.output, "feedback": outcome.feedback, "side_info": outcome.side_info}
        assert canonical_json({**told, "scores": [outcome.reward, outcome.objectives, outcome.metrics]})

    def test_the_usage_of_a_rollout_is_a_usage(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """Unknown is ``None``, and nothing is below zero."""
        assert_usage(_rolled_out(open_transport, wanted_rows).usage)

    def test_the_stage_is_no_part_of_what_is_asked(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """Whatever a rollout is for, it is scored the same way."""
        outcomes = [_rolled_out(open_transport, wanted_rows, stage=stage) for stage in Stage]
        assert len({outcome.reward for outcome in outcomes if isinstance(outcome, RolloutResult)}) == 1

    def test_a_rollout_may_be_the_first_call(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """A run that is resumed knows the task already, and asks for what is missing."""

        async def ask(transport: Transport) -> RolloutRequest:
            return await first_rollout(transport, wanted_rows)

        request = with_transport(open_transport, ask)
        outcome = with_transport(open_transport, lambda transport: transport.rollout(request))
        assert isinstance(outcome, RolloutResult)

    def test_a_rollout_that_was_never_submitted_may_be_asked_for(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """`poll_first` says that it may be known already; where it is not, it is submitted."""
        outcome = _rolled_out(open_transport, wanted_rows, rollout_id="rollout-new", poll_first=True)
        assert isinstance(outcome, RolloutResult), f"it failed: {outcome}"

    def test_the_request_is_left_as_it_was(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """It is hashed, and sent again where that may help."""

        async def scene(transport: Transport) -> tuple[str, str]:
            request = await first_rollout(transport, wanted_rows)
            before = canonical_json([request.row.data, request.candidate.components, request.policy])
            await transport.rollout(request)
            return before, canonical_json([request.row.data, request.candidate.components, request.policy])

        before, after = with_transport(open_transport, scene)
        assert before == after

    def test_a_cancelled_rollout_ends_and_harms_no_other(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """A run that is stopped waits for nobody, and the next rollout is run."""

        async def scene(transport: Transport) -> Any:
            request = await first_rollout(transport, wanted_rows)
            task = asyncio.create_task(transport.rollout(request))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
            return await transport.rollout(attrs.evolve(request, rollout_id="rollout-2"))

        assert isinstance(with_transport(open_transport, scene), RolloutResult)

    # -- the rest

    def test_it_looks_before_it_is_needed(self, open_transport: OpenTransport) -> None:
        """`preflight`, where it is offered, finds everything that the test has set up."""

        async def scene(transport: Transport) -> None:
            if isinstance(transport, Preflight):
                await transport.preflight()

        with_transport(open_transport, scene)

    def test_closing_may_be_repeated_and_ends_the_use(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """What comes too late is refused with words."""

        async def scene(transport: Transport) -> None:
            await transport.rows(wanted_rows)
            await transport.close()
            await transport.close()
            with pytest.raises(GepaError):
                await transport.rows(wanted_rows)

        with_transport(open_transport, scene)

    def test_closing_one_that_was_never_used_is_fine(self, open_transport: OpenTransport) -> None:
        """A run may fail before its first call."""
        with_transport(open_transport, lambda transport: transport.close())

    def test_closing_leaves_nothing_running(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """No task, thread, connection or process outlives it."""
        before = Traces.now()

        async def scene(transport: Transport) -> None:
            await transport.rollout(await first_rollout(transport, wanted_rows))
            await transport.close()
            await refuse_leftovers()

        with_transport(open_transport, scene)
        assert before.left_since() == {}


class ConcurrentTransportContract(TransportContract):
    """Tests of a transport that runs several rollouts at once: it declares `Capability.CONCURRENT`."""

    capability: ClassVar[Capability | None] = Capability.CONCURRENT

    def test_several_at_once_all_get_an_outcome(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """Each gets its own, and whoever comes first opens the container for all."""

        async def ask(transport: Transport) -> RolloutRequest:
            return await first_rollout(transport, wanted_rows)

        request = with_transport(open_transport, ask)

        async def scene(transport: Transport) -> list[Any]:
            asked = [attrs.evolve(request, rollout_id=f"rollout-{n}") for n in range(_AT_ONCE)]
            return await asyncio.gather(*map(transport.rollout, asked))

        assert [type(each) for each in with_transport(open_transport, scene)] == [RolloutResult] * _AT_ONCE

    def test_one_that_is_cancelled_leaves_the_others(
        self, open_transport: OpenTransport, wanted_rows: RowsRequest
    ) -> None:
        """They go on and are scored."""

        async def scene(transport: Transport) -> list[Any]:
            request = await first_rollout(transport, wanted_rows)
            asked = [attrs.evolve(request, rollout_id=f"rollout-{n}") for n in range(_AT_ONCE)]
            tasks = [asyncio.create_task(transport.rollout(each)) for each in asked]
            await asyncio.sleep(0)
            tasks[0].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)

        outcomes = with_transport(open_transport, scene)
        assert [type(each) for each in outcomes[1:]] == [RolloutResult] * (_AT_ONCE - 1)


def _rolled_out(
    open_transport: OpenTransport, wanted: RowsRequest, **changes: Any
) -> RolloutResult | RolloutFailure:
    async def scene(transport: Transport) -> RolloutResult | RolloutFailure:
        return await transport.rollout(await first_rollout(transport, wanted, **changes))

    return with_transport(open_transport, scene)
