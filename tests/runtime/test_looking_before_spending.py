from __future__ import annotations

import asyncio

import attrs
import pytest

from gepa_framework.engine import ProposalFailure
from gepa_framework.errors import PluginBrokenError, ProposerError, WorkspaceError
from gepa_framework.runtime import CacheMode
from gepa_framework.types import (
    UNKNOWN,
    FailureKind,
    Proposal,
    RolloutFailure,
    Usage,
)


class Looks:
    """A plugin with a preflight that raises what it is given, or notes that it was asked."""

    def __init__(self, error=None):
        self.error = error
        self.looked = 0

    async def preflight(self):
        self.looked += 1
        if self.error is not None:
            raise self.error


class Says:
    def __init__(self, answer):
        self.answer = answer

    async def propose(self, request):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def look(performer):
    asyncio.run(performer.preflight())


def perform(performer, command):
    return asyncio.run(performer.perform(command, again=False)).outcome


def test_both_sides_look_for_what_they_need_once(kit):
    transport, proposer = Looks(), Looks()
    look(kit.performer(transport, proposer))
    assert (transport.looked, proposer.looked) == (1, 1)


def test_nobody_looks_when_everything_comes_from_the_cache(kit):
    broken = Looks(ProposerError("no key"))
    look(kit.performer(Looks(OSError()), broken, cache=kit.MemoryCache(), mode=CacheMode.READONLY))
    assert broken.looked == 0


def test_a_plugin_need_not_look(kit):
    look(kit.performer())


def test_what_is_missing_is_told_as_the_plugin_tells_it(kit):
    with pytest.raises(ProposerError, match="no key; set one"):
        look(kit.performer(proposer=Looks(ProposerError("no key", hint="set one"))))


@pytest.mark.parametrize("side", ["transport", "proposer"])
def test_a_look_that_raises_something_odd_is_named(kit, side):
    with pytest.raises(PluginBrokenError, match=f"the {side} raised KeyError"):
        look(kit.performer(**{side: Looks(KeyError("odd"))}))


def test_a_failure_with_odd_figures_stays_the_failure_that_it_is(kit):
    failure = RolloutFailure(FailureKind.TIMEOUT, "slow", "took long", usage=Usage(cost_usd=-1.0))
    outcome = perform(kit.performer(kit.Transport(lambda request: failure)), kit.rollout())
    assert outcome == attrs.evolve(failure, usage=UNKNOWN)


def test_a_proposal_with_odd_figures_is_a_failed_one(kit):
    proposal = Proposal({"skills": "x"}, usage=Usage(total_tokens=-5))
    outcome = perform(kit.performer(proposer=Says(proposal)), kit.propose())
    assert isinstance(outcome, ProposalFailure)
    assert outcome.code == "out_of_range"


def test_what_a_failed_proposal_consumed_is_kept(kit):
    error = ProposerError("cut off")
    error.usage = Usage(1, 2, 3, 0.5)
    assert perform(kit.performer(proposer=Says(error)), kit.propose()).usage == Usage(1, 2, 3, 0.5)


def test_a_cache_is_looked_at_in_every_mode_but_off(kit):
    for mode, wanted in ((CacheMode.READONLY, 1), (CacheMode.READWRITE, 1), (CacheMode.OFF, 0)):
        cache = Looks()
        look(kit.performer(cache=cache, mode=mode))
        assert cache.looked == wanted


def test_a_cache_that_cannot_be_used_ends_the_run_before_anything_is_spent(kit):
    cache, transport = Looks(WorkspaceError("no server", hint="start it")), Looks()
    with pytest.raises(WorkspaceError, match="no server; start it"):
        look(kit.performer(transport, cache=cache, mode=CacheMode.READWRITE))
    assert transport.looked == 0
