"""What failures took is in the account, what is unknown is not zero, and cells may be other than rows."""

from __future__ import annotations

import json

import pytest

from gepa_framework import GepaRun
from gepa_framework.app.inspect import explain_candidate, inspect_run
from gepa_framework.app.inspect.listing import list_runs

TRANSPORT = """
from gepa_framework.testing.fakes import FakeTransport
import attrs

class Dear(FakeTransport):
    def __init__(self):
        super().__init__()
        self.tried = set()

    async def rollout(self, request):
        price = {price}
        asked = (request.candidate.id, request.row.id, request.stage)
        if request.row.id.endswith("3") and asked not in self.tried:
            self.tried.add(asked)
            usage = Usage(total_tokens=2, cost_usd=price)
            return RolloutFailure(FailureKind.CONTAINER, "busy", "again", retryable=True, usage=usage)
        if request.row.id.endswith("5") and request.stage is Stage.SEED:
            return RolloutFailure(FailureKind.CONTAINER, "lost", "gone", usage=Usage(cost_usd=price))
        found = await super().rollout(request)
        return attrs.evolve(found, usage=Usage(total_tokens=7, cost_usd=price))

def make(context):
    return Dear()
"""
PROPOSER = """
from gepa_framework.testing.fakes import FakeProposer
import attrs

class Paid(FakeProposer):
    async def propose(self, request):
        return attrs.evolve(await super().propose(request), usage=Usage(cost_usd=0.125))

def make(context):
    return Paid()
"""
MEASURED = """
from gepa_framework.testing.fakes import FakeTransport
import attrs

class Measured(FakeTransport):
    async def rollout(self, request):
        found = await super().rollout(request)
        return attrs.evolve(found, objectives={"solved": found.reward, "level": float(found.output)})

def make(context):
    return Measured()
"""


def run(project, price):
    project.offer("transport", "dear", TRANSPORT.replace("{price}", price))
    project.offer("proposer", "paid", PROPOSER)
    config = project.write(transport="dear", container="", gepa="rollout_failure_rate_tolerance = 0.9")
    text = config.read_text().replace('backend = "fake"', 'backend = "paid"')
    config.write_text(text)
    return GepaRun.from_toml(config, environ={}).execute()


def test_what_failures_and_retries_took_is_in_the_account(project):
    result = run(project, "0.01")
    costs = inspect_run(result.run_dir).overview.costs
    assert costs.cost_usd == pytest.approx(result.cost_usd, abs=1e-12)
    parts = {each.boundary: each for each in costs.boundaries}
    assert parts["rollout failed"].calls == result.failed_rollouts > 0
    assert parts["attempt tried again"].cost_usd == pytest.approx(0.01 * parts["attempt tried again"].calls)
    assert parts["proposal"].cost_usd == 0.125 * parts["proposal"].calls > 0
    (row,) = list_runs(result.run_dir.parent)
    assert row.cost_usd == pytest.approx(result.cost_usd, abs=1e-12)


def test_a_cost_that_is_not_known_is_unknown_and_what_is_known_of_it_is_told(project):
    result = run(project, "None")
    assert result.cost_usd is None
    costs = inspect_run(result.run_dir).overview.costs
    assert costs.cost_usd is None
    proposals = next(each for each in costs.boundaries if each.boundary == "proposal")
    assert costs.known_usd == proposals.cost_usd > 0
    (row,) = list_runs(result.run_dir.parent)
    assert (row.cost_usd, row.known_usd) == (None, costs.known_usd)


@pytest.mark.parametrize("frontier", ["objective", "hybrid", "cartesian"])
def test_cells_may_be_objectives_as_well_as_rows(project, frontier):
    project.offer("transport", "measured", MEASURED)
    result = project.run(
        transport="measured",
        container="",
        gepa='objective_keys = ["solved", "level"]\nobjective_directions.level = "minimize"',
        more=f'[selection]\nfrontier = "{frontier}"',
    ).execute()
    seen = inspect_run(result.run_dir)
    exported = json.loads(result.frontier_path.read_text())
    names = ("/".join(filter(None, (cell["row_id"], cell["objective"]))) for cell in exported["cells"])
    expected = {name: tuple(cell["candidates"]) for name, cell in zip(names, exported["cells"], strict=True)}
    assert {cell: tuple(sorted(best)) for cell, best in seen.frontier.cells.items()} == {
        cell: tuple(sorted(best)) for cell, best in expected.items()
    }
    why = explain_candidate(result.run_dir, "best").candidate
    assert set(why.owns) == {cell for cell, best in expected.items() if best == (why.candidate_id,)}
