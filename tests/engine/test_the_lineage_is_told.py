from __future__ import annotations

from gepa_framework.engine import Pool, Propose, Selecting
from gepa_framework.engine.lineage import LATEST_STEPS, ancestry, lineage, rejected
from gepa_framework.engine.pool import Member
from gepa_framework.types import Candidate, Proposal, RejectedAttempt


def family(parents, *, texts=None):
    """Make a pool of members named by number, each with the numbers of its parents and a score that rises."""
    pool = Pool(seed=1, rows=["a"], remember=2)
    for number, names in enumerate(parents):
        text = {"x": str(number), "y": "same"} if texts is None else texts[number]
        candidate = Candidate(f"c{number}", text)
        pool.register(candidate, f"reason {number}" if names else "")
        member = Member(candidate, tuple(f"c{name}" for name in names), number)
        pool.add(member, {0: (5 - abs(number - 5)) / 10})
    return pool


def test_the_way_from_the_seed_is_told_step_by_step():
    pool = family([(), (0,), (0,), (1,)])
    steps = lineage(pool, pool.members[3])
    assert [step.candidate_id for step in steps] == ["c0", "c1", "c3"]
    assert [step.iteration for step in steps] == [0, 1, 3]
    assert [step.changed for step in steps] == [(), ("x",), ("x",)]
    assert [step.rationale for step in steps] == ["", "reason 1", "reason 3"]
    assert [step.score for step in steps] == [0.0, 0.1, 0.3]
    assert [step.best for step in steps] == [0.0, 0.1, 0.3]


def test_the_best_is_that_of_the_time_when_the_candidate_joined():
    pool = family([()] + [(n,) for n in range(8)])
    steps = lineage(pool, pool.members[8])
    assert [step.best for step in steps[-4:]] == [0.5, 0.5, 0.5, 0.5]
    assert [step.score for step in steps[-4:]] == [0.5, 0.4, 0.3, 0.2]


def test_of_a_long_way_the_seed_and_the_latest_steps_are_told():
    pool = family([(), *((n,) for n in range(30))])
    steps = [step.candidate_id for step in lineage(pool, pool.members[30])]
    assert steps == ["c0", *(f"c{n}" for n in range(31 - LATEST_STEPS, 31))]
    assert len(lineage(pool, pool.members[LATEST_STEPS])) == LATEST_STEPS + 1
    assert len(lineage(pool, pool.members[LATEST_STEPS - 1])) == LATEST_STEPS


def test_whoever_has_two_parents_descends_from_both_and_nobody_is_told_twice():
    pool = family([(), (0,), (0,), (1, 2), (3,)])
    assert [one.candidate.id for one in ancestry(pool, pool.members[4])] == ["c4", "c3", "c2", "c1", "c0"]


def test_a_long_reason_is_cut():
    pool = Pool(seed=1, rows=["a"], remember=2)
    pool.register(Candidate("c", {}), "why " * 1000)
    assert len(pool.rationales["c"]) == 500


def test_refused_attempts_of_the_nearest_come_last_and_are_preferred():
    pool = family([(), (0,), (1,), (0,)])
    for name in ("c0", "c2", "c3"):
        for number in (1, 2, 3):
            pool.reject(name, RejectedAttempt(f"{name}/{number}", {}, "no"))
    told = [rejected(pool, pool.members[2], most) for most in range(6)]
    assert [[one.candidate_id for one in each] for each in told] == [
        [],
        ["c2/3"],
        ["c2/2", "c2/3"],
        ["c0/3", "c2/2", "c2/3"],
        ["c0/2", "c0/3", "c2/2", "c2/3"],
        ["c0/2", "c0/3", "c2/2", "c2/3"],
    ]
    assert [one.parent_id for one in told[4]] == ["c0", "c0", "", ""]


def test_a_request_tells_the_lineage_of_its_parent(toy):
    def propose(request):
        text = f"{float(request.parent.components['prompt']) + 0.1:.1f}"
        return Proposal({"prompt": text}, rationale=f"towards {text}")

    game = toy.play(toy.plan(selecting=Selecting("current_best")), toy.World(propose=propose))
    first, _, last = (command.request for command in game.world.of(Propose))
    assert [(step.candidate_id, step.score) for step in first.lineage] == [(game.run.seed.id, 0.2)]
    assert [step.rationale for step in last.lineage] == ["", "towards 0.3", "towards 0.4"]
    assert [step.changed for step in last.lineage] == [(), ("prompt",), ("prompt",)]
    assert last.lineage[-1].candidate_id == last.parent.id
