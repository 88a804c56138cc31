"""What holds for every transport that speaks to a container over HTTP, against one that goes by a script."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import attrs
import pytest

from gepa_framework.errors import ContainerContractError, GepaError
from gepa_framework.testing.container import ScriptedContainer, Turn
from gepa_framework.testing.contracts.info import CANARY, build, forgotten
from gepa_framework.testing.contracts.transport import (
    ConcurrentTransportContract,
    OpenTransport,
    first_rollout,
    with_transport,
)
from gepa_framework.types import (
    BuildContext,
    FailureKind,
    RolloutFailure,
    RolloutOutcome,
    RolloutResult,
    RowsRequest,
    Transport,
)

Serve: TypeAlias = "Callable[..., ScriptedContainer]"
ConfigFor: TypeAlias = "Callable[[str], object]"
Roll: TypeAlias = "Callable[..., RolloutOutcome]"

_WANTED = RowsRequest("train", ids=("1", "2", "3"))
#: A turn, and the failure that it must be: family, and whether asking again may help.
_FAILURES: dict[str, tuple[Turn, FailureKind, bool]] = {
    "refused": (Turn(http_status=422, body={"detail": "no"}), FailureKind.CONTRACT, False),
    "not found": (Turn(http_status=404, body={"detail": "Not Found"}), FailureKind.CONTRACT, False),
    "server error": (Turn(http_status=500, body={"detail": "oh"}), FailureKind.CONTAINER, True),
    "busy": (Turn(http_status=503, body={"detail": "busy"}), FailureKind.CONTAINER, True),
    "too many": (Turn(http_status=429, body={"detail": "slow down"}), FailureKind.CONTAINER, True),
    "no JSON": (Turn(body=b"<html>"), FailureKind.CONTRACT, False),
    "no object": (Turn(body=[1, 2]), FailureKind.CONTRACT, False),
    "no reward": (Turn(record={"reward_info": {}}), FailureKind.CONTRACT, False),
    "a reward that is no number": (
        Turn(record={"reward_info": {"outcome_reward": "1"}}),
        FailureKind.CONTRACT,
        False,
    ),
    "unknown status": (Turn(status="exploded"), FailureKind.CONTRACT, False),
    "failed": (
        Turn(status="failed", record={"error": {"code": "oom", "message": "out of memory"}}),
        FailureKind.CONTAINER,
        False,
    ),
    "failed for now": (
        Turn(status="failed", record={"error": {"code": "busy", "message": "later", "retryable": True}}),
        FailureKind.CONTAINER,
        True,
    ),
    "cut off": (Turn(broken=True), FailureKind.TRANSPORT, True),
}


class HttpTransportContract(ConcurrentTransportContract):
    """Tests of a transport over HTTP. Override `plugin` and `config_for`.

    Every failure is played by a container on loopback that goes by a script.
    """

    @pytest.fixture
    def config_for(self) -> ConfigFor:
        """Give what makes a configuration for the container at an address, with short times."""
        forgotten(self, "config_for", "it returns a function from the URL of a container to a configuration")

    @pytest.fixture
    def serve(self) -> Iterator[Serve]:
        """Give what starts containers that go by a script; its arguments are those of `ScriptedContainer`."""
        served: list[ScriptedContainer] = []

        def start(*arguments: Any, **options: Any) -> ScriptedContainer:
            served.append(ScriptedContainer(*arguments, **options))
            return served[-1]

        yield start
        for container in served:
            container.close()

    @pytest.fixture
    def config(self, serve: Serve, config_for: ConfigFor) -> object:
        """Give a configuration for a container that does all that it should."""
        return config_for(serve().url)

    @pytest.fixture
    def context(self, tmp_path: Any) -> BuildContext:
        """Give a run that polls often."""
        return BuildContext(
            run_id="run-1",
            run_dir=tmp_path / "runs" / "run-1",
            base_dir=tmp_path,
            concurrency=4,
            settings={"rollout_poll_interval_ms": 5},
            environ={"OPENAI_API_KEY": CANARY},
        )

    @pytest.fixture
    def wanted_rows(self) -> RowsRequest:
        """Give rows that every scripted container has."""
        return _WANTED

    @pytest.fixture
    def reach(
        self, plugin: object, config_for: ConfigFor, context: BuildContext
    ) -> Callable[..., OpenTransport]:
        """Give what builds transports to a container; keywords are settings of the run."""

        def reach(container: ScriptedContainer, **settings: Any) -> OpenTransport:
            changed = attrs.evolve(context, settings={**context.settings, **settings})
            return lambda: build(plugin, config_for(container.url), changed)

        return reach

    @pytest.fixture
    def roll(self, serve: Serve, reach: Callable[..., OpenTransport]) -> Roll:
        """Give what runs one rollout in a container whose next rollout goes by the turn."""

        def roll(turn: Turn, *, changes: Any = None, **settings: Any) -> RolloutOutcome:
            async def scene(transport: Transport) -> RolloutOutcome:
                return await transport.rollout(await first_rollout(transport, _WANTED, **(changes or {})))

            return with_transport(reach(serve([turn]), **settings), scene)

        return roll

    # -- the task

    @pytest.mark.parametrize("routes", ["taskset", "dataset"])
    def test_both_sets_of_routes_are_spoken(
        self, serve: Serve, reach: Callable[..., OpenTransport], routes: str
    ) -> None:
        """They bear one version, and are told apart by what is advertised."""
        open_transport = reach(serve(routes=routes))
        wanted = RowsRequest("train", seeds=(3, 1))

        async def scene(transport: Transport) -> Sequence[str]:
            return [row.id for row in await transport.rows(wanted)]

        assert [name.rpartition(":")[2] for name in with_transport(open_transport, scene)] == ["3", "1"]

    @pytest.mark.parametrize("body", [{}, [], {"metadata": {"optimizer_contracts": {}}}], ids=repr)
    def test_a_container_without_the_contract_is_refused(
        self, serve: Serve, reach: Callable[..., OpenTransport], body: object
    ) -> None:
        """With an error that says so, before anything is spent."""
        reply: tuple[int, object, dict[str, str]] = (200, body, {})
        container = serve(overrides={"/metadata": reply, "/info": reply})
        with pytest.raises(ContainerContractError):
            with_transport(reach(container), lambda transport: transport.describe())

    def test_a_program_that_is_none_is_refused(
        self, serve: Serve, reach: Callable[..., OpenTransport]
    ) -> None:
        """Its version is the contract's."""
        container = serve(overrides={"/program": (200, {"version": "other"}, {})})
        with pytest.raises(ContainerContractError):
            with_transport(reach(container), lambda transport: transport.program())

    @pytest.mark.parametrize(
        "rows",
        [
            [{"task_id": "1"}, {"task_id": "2"}],
            [{"task_id": "1"}, {"task_id": "1"}, {"task_id": "3"}],
            [{"task_id": "2"}, {"task_id": "1"}, {"task_id": "3"}],
            [{"query": "nameless"}] * 3,
        ],
        ids=["missing", "doubled", "swapped", "nameless"],
    )
    def test_rows_that_are_not_those_asked_for_are_refused(
        self, serve: Serve, reach: Callable[..., OpenTransport], rows: object
    ) -> None:
        """A row under another's name would be scored as the other."""
        container = serve(overrides={"/taskset/tasks": (200, {"tasks": rows}, {})})
        with pytest.raises(ContainerContractError):
            with_transport(reach(container), lambda transport: transport.rows(_WANTED))

    def test_texts_are_kept_byte_for_byte(self, serve: Serve, reach: Callable[..., OpenTransport]) -> None:
        """Nothing is trimmed, on the way in or on the way out."""
        texts = {"system": "  é\r\n\t{query} \n\n", "style": ""}
        container = serve(texts=texts)

        async def scene(transport: Transport) -> Any:
            await transport.rollout(await first_rollout(transport, _WANTED))
            return dict((await transport.program()).seed)

        assert with_transport(reach(container), scene) == texts
        assert container.asked("/rollouts")[0].body["candidate"] == texts

    # -- rollouts

    @pytest.mark.parametrize("mode", ["sync", "async"])
    def test_a_reward_is_read(self, roll: Roll, mode: str) -> None:
        """By either way of submission."""
        outcome = roll(Turn(reward=0.25), rollout_submission_mode=mode)
        assert isinstance(outcome, RolloutResult), f"it failed: {outcome}"
        assert outcome.reward == 0.25

    @pytest.mark.parametrize("name", _FAILURES)
    def test_a_failure_is_returned_with_its_family(self, roll: Roll, name: str) -> None:
        """It is data, and says whether asking again may help."""
        turn, kind, retryable = _FAILURES[name]
        outcome = roll(turn)
        assert isinstance(outcome, RolloutFailure), f"it was scored: {outcome}"
        assert (outcome.kind, outcome.retryable) == (kind, retryable), outcome.message
        assert outcome.code
        assert outcome.message

    def test_a_rollout_is_submitted_once(self, serve: Serve, reach: Callable[..., OpenTransport]) -> None:
        """Asking again is the caller's business: it costs money and is on record."""
        container = serve([Turn(http_status=503, body={"detail": "busy"})])

        async def scene(transport: Transport) -> RolloutOutcome:
            return await transport.rollout(await first_rollout(transport, _WANTED))

        with_transport(reach(container), scene)
        assert len(container.asked("/rollouts")) == 1

    def test_the_status_and_the_pause_of_a_refusal_are_told(self, roll: Roll) -> None:
        """``Retry-After`` says how long the container asks to be left alone."""
        outcome = roll(Turn(http_status=429, body={"detail": "slow down"}, headers={"retry-after": "7"}))
        assert isinstance(outcome, RolloutFailure)
        assert (outcome.http_status, outcome.retry_after_seconds) == (429, 7.0)

    @pytest.mark.parametrize("reward", [math.nan, math.inf])
    def test_a_reward_that_is_not_finite_is_none(self, roll: Roll, reward: float) -> None:
        """It would poison every mean."""
        outcome = roll(Turn(reward=reward))
        assert isinstance(outcome, RolloutFailure)
        assert outcome.kind is FailureKind.CONTRACT

    def test_the_record_of_another_rollout_is_refused(self, roll: Roll) -> None:
        """A container that mixes them up gives somebody else's score."""
        outcome = roll(Turn(record={"rollout_id": "somebody-elses"}))
        assert isinstance(outcome, RolloutFailure)
        assert outcome.kind is FailureKind.CONTRACT

    def test_what_a_failed_rollout_cost_is_told(self, roll: Roll) -> None:
        """It is in the books all the same."""
        usage = {"total_tokens": 7, "cost_usd": 0.5}
        outcome = roll(Turn(status="failed", record={"usage": usage}))
        assert isinstance(outcome, RolloutFailure)
        assert (outcome.usage.total_tokens, outcome.usage.cost_usd) == (7, 0.5)

    def test_what_is_not_told_is_unknown(self, roll: Roll) -> None:
        """It is never taken for nothing."""
        outcome = roll(Turn())
        assert (outcome.usage.total_tokens, outcome.usage.cost_usd) == (None, None)

    def test_nobody_answering_is_a_failure_to_connect(
        self, serve: Serve, reach: Callable[..., OpenTransport]
    ) -> None:
        """Of a container that was there: ``connect``, which may help to ask again, or an error that stops."""
        container = serve()

        async def scene(transport: Transport) -> RolloutOutcome | GepaError:
            request = await first_rollout(transport, _WANTED)
            await asyncio.to_thread(container.close)
            try:
                return await transport.rollout(request)
            except GepaError as error:
                return error

        outcome = with_transport(reach(container), scene)
        gone = isinstance(outcome, GepaError)
        assert gone or (
            isinstance(outcome, RolloutFailure) and outcome.code == "connect" and outcome.retryable
        )

    def test_no_credential_is_sent_with_a_rollout(
        self, serve: Serve, reach: Callable[..., OpenTransport]
    ) -> None:
        """The container has its own: a policy names a variable of its environment."""
        container = serve()

        async def scene(transport: Transport) -> RolloutOutcome:
            return await transport.rollout(
                await first_rollout(
                    transport, _WANTED, policy={"model": "m1", "api_key_env": "OPENAI_API_KEY"}
                )
            )

        with_transport(reach(container), scene)
        assert CANARY not in repr(container.asked())

    def test_a_rollout_that_is_known_is_not_run_again(
        self, serve: Serve, reach: Callable[..., OpenTransport]
    ) -> None:
        """With `poll_first`, a container that can be asked by id is asked before it runs it again."""
        container = serve([Turn(reward=0.5)])

        async def scene(transport: Transport) -> list[Any]:
            request = await first_rollout(transport, _WANTED)
            again = attrs.evolve(request, poll_first=True)
            return [(await transport.rollout(each)).reward for each in (request, again)]  # type: ignore[union-attr]

        assert with_transport(reach(container), scene) == [0.5, 0.5]
        assert len(container.asked("/rollouts")) == 1

    def test_a_cancelled_rollout_is_told_to_the_container(
        self, serve: Serve, reach: Callable[..., OpenTransport]
    ) -> None:
        """It costs somebody money as long as it runs."""
        container = serve([Turn(held=True)])

        async def scene(transport: Transport) -> None:
            task = asyncio.create_task(transport.rollout(await first_rollout(transport, _WANTED)))
            assert await asyncio.to_thread(container.wait_for, "/rollouts/rollout-1/state")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with_transport(reach(container, rollout_submission_mode="async"), scene)
        assert len(container.asked("/rollouts/rollout-1/terminate")) == 1

    def test_a_rollout_that_never_ends_is_given_up(self, roll: Roll) -> None:
        """After the time that the run allows, as a timeout that may help to ask again."""
        outcome = roll(Turn(held=True), rollout_submission_mode="async", rollout_async_timeout_seconds=0.05)
        assert isinstance(outcome, RolloutFailure)
        assert (outcome.kind, outcome.retryable) == (FailureKind.TIMEOUT, True)

    def test_rollouts_are_under_way_at_once(self, serve: Serve, reach: Callable[..., OpenTransport]) -> None:
        """As many as the context allows."""
        container = serve([Turn(held=True)])

        async def scene(transport: Transport) -> list[RolloutOutcome]:
            request = await first_rollout(transport, _WANTED)
            asked = [attrs.evolve(request, rollout_id=f"rollout-{n}") for n in range(4)]
            tasks = [asyncio.create_task(transport.rollout(each)) for each in asked]
            assert await asyncio.to_thread(container.wait_for, "/rollouts", 4)
            container.release()
            return await asyncio.gather(*tasks)

        assert [type(each) for each in with_transport(reach(container), scene)] == [RolloutResult] * 4
        assert container.most_at_once == 4
