"""The one evaluation of a preflight: the container is started, asked, and stopped again."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator, Mapping

import attrs

from gepa_framework.app.building import build_world
from gepa_framework.app.prepare import Prepared
from gepa_framework.app.scenarios.apart import run_apart
from gepa_framework.app.scenarios.checks import Check, failed, passed
from gepa_framework.app.scenarios.scores import check_outcome
from gepa_framework.engine.setup import seed_texts
from gepa_framework.errors import GepaError
from gepa_framework.types import (
    Candidate,
    Preflight,
    Proposer,
    RolloutRequest,
    RowsRequest,
    Scenario,
    Stage,
    Transport,
)

#: How long plugins may take to let go, once their time is over.
_GRACE_SECONDS = 15.0


@attrs.define
class Smoked:
    """How far an evaluation came.

    Attributes:
        checks: What was looked at, in its order.
        seed: The seed's texts, once they are known.
    """

    checks: list[Check] = attrs.field(factory=list)
    seed: Mapping[str, str] = attrs.field(factory=dict)


def smoke(prepared: Prepared, scenario: Scenario) -> Smoked:
    """Evaluate the seed on one row, within the time of the scenario; what goes wrong is a check that failed.

    Raises:
        GepaError: A plugin does not build.
    """
    smoked = Smoked()
    seconds = scenario.smoke.seconds
    transport, proposer = build_world(prepared)
    stages = _Stages(smoked)

    async def work() -> None:
        try:
            with stages.told():
                async with asyncio.timeout(seconds):
                    await _evaluate(prepared, scenario, transport, proposer, stages)
        finally:
            await _close(transport, proposer)

    try:
        run_apart(work, seconds + 2 * _GRACE_SECONDS, _GRACE_SECONDS)
    except TimeoutError:
        smoked.checks.append(failed(stages.name, "does not end, not even when it is told to"))
    return smoked


@attrs.define
class _Stages:
    """Names what is under way, and turns what goes wrong into a check that failed."""

    smoked: Smoked
    name: str = "container"

    def passed(self, detail: str, then: str) -> None:
        self.smoked.checks.append(passed(self.name, detail))
        self.name = then

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        try:
            yield
        except GepaError as error:
            self.smoked.checks.append(failed(self.name, error.message, error.hint))
        except TimeoutError:
            self.smoked.checks.append(failed(self.name, "did not end in time", "raise smoke.seconds"))
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            self.smoked.checks.append(failed(self.name, f"raised {type(error).__name__}: {error}"))


async def _evaluate(
    prepared: Prepared, scenario: Scenario, transport: Transport, proposer: Proposer, stages: _Stages
) -> None:
    smoked = stages.smoked
    stages.name = "proposer"
    if isinstance(proposer, Preflight):
        await proposer.preflight()
    stages.passed(f"{prepared.config.proposer.name} has what it needs", "container")
    if isinstance(transport, Preflight):
        await transport.preflight()
    info = await transport.describe()
    stages.passed(f"{info.name} speaks {info.contract}", "program")
    program = await transport.program()
    smoked.seed = seed_texts(prepared.plan, program)
    stages.passed(f"{program.program_id} has {len(program.components)} component(s)", "artefact")
    _check_artifact(scenario, smoked)
    stages.name = "row"
    (row,) = await transport.rows(_one_row(prepared.plan.train, scenario.smoke.row))
    stages.passed(f"{row.id} of split {row.split}", "rollout of the seed")
    request = RolloutRequest(
        # Never the same twice, or a container that stands might answer out of its memory.
        rollout_id=f"preflight_{secrets.token_hex(8)}",
        candidate=Candidate.of(smoked.seed, prefix=prepared.plan.candidate_prefix),
        row=row,
        stage=Stage.SEED,
        task_id=program.task_id,
        policy=prepared.config.policy,
    )
    smoked.checks.append(check_outcome(scenario.score, await transport.rollout(request)))


def _one_row(train: RowsRequest, wanted: int | str | None) -> RowsRequest:
    if isinstance(wanted, int):
        return RowsRequest(train.split, seeds=(wanted,), filters=train.filters)
    if isinstance(wanted, str):
        return RowsRequest(train.split, ids=(wanted,), filters=train.filters)
    return RowsRequest(train.split, train.ids[:1], train.seeds[:1], train.filters)


def _check_artifact(scenario: Scenario, smoked: Smoked) -> None:
    shape, name = scenario.artifact, "artefact"
    if lacking := [each for each in shape.components if each not in smoked.seed]:
        there = ", ".join(smoked.seed)
        smoked.checks.append(
            failed(name, f"the program has no component {', '.join(lacking)}; it has: {there}")
        )
        return
    long = [
        each for each in shape.components or smoked.seed if len(smoked.seed[each]) > (shape.max_chars or 1e9)
    ]
    if long:
        smoked.checks.append(failed(name, f"{long[0]} has more than {shape.max_chars} characters"))
        return
    smoked.checks.append(passed(name, f"{shape.path} holds {', '.join(shape.components or smoked.seed)}"))


async def _close(*plugins: Transport | Proposer) -> None:
    for plugin in plugins:
        with contextlib.suppress(Exception):  # what the preflight found is what counts
            await asyncio.wait_for(plugin.close(), _GRACE_SECONDS)
