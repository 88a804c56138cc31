"""Real runs against a receiver of real OTLP: what is on record is what is project."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from gepa_framework import GepaRun
from gepa_otel.ids import effect_name, iteration_name, span_id, trace_id

ENDS = ("candidate.accepted", "candidate.rejected", "candidate.duplicate_skipped", "iteration.skipped")
TEXTS = ("prose that nobody is to read",)
OVERLAPPING = """proposals_per_generation = 2
[gepa.pipeline]
mode = "async_pipelined"
max_in_flight_candidates = 3
[gepa.pipeline.workers]
propose = 4
"""


def hexed(name, run_id="r1"):
    return f"{span_id(run_id, name):016x}"


def finished(project, config, **environ):
    done = project.run(config, **environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_there_is_one_span_for_each_effect_on_record(traced):
    project, fake = traced
    assert sorted(span.attributes["gepa.effect.id"] for span in fake.effects()) == project.effects()
    assert {span.trace for span in fake.spans} == {f"{trace_id('r1'):032x}"}
    assert len({span.id for span in fake.spans}) == len(fake.spans)
    assert all(span.id == hexed(effect_name(span.attributes["gepa.effect.id"])) for span in fake.effects())
    assert {span.resource["service.name"] for span in fake.spans} == {"toy"}


def test_effects_are_in_their_iteration_and_iterations_in_the_run(traced):
    _, fake = traced
    (run,) = fake.named("run")
    assert (run.parent, run.id) == ("", hexed("run"))
    iterations = {span.attributes["gepa.iteration"]: span for span in fake.named("iteration")}
    assert sorted(iterations) == [1, 2, 3, 4, 5, 6]
    assert len(fake.named("iteration")) == 6
    assert {span.parent for span in iterations.values()} == {run.id}
    for span in fake.effects():
        number = span.attributes.get("gepa.iteration")
        assert span.parent == (iterations[number].id if number else run.id)
    assert {span.name for span in fake.effects() if span.parent == run.id} == {
        "describe",
        "program",
        "rows",
        "rollout seed_full_train",
        "rollout heldout",
    }


def test_each_span_lies_within_the_one_that_it_is_in(traced):
    _, fake = traced
    spans = {span.id: span for span in fake.spans}
    for span in fake.spans:
        assert span.began <= span.ended
        if span.parent:
            above = spans[span.parent]
            assert above.began <= span.began
            assert span.ended <= above.ended
    assert all(span.ended - span.began >= 2_000_000 for span in spans.values() if "rollout" in span.name)


def test_spans_say_what_is_on_record(traced):
    project, fake = traced
    rows = project.query("SELECT effect_id, reward, kind, code FROM rollouts")
    spans = {span.attributes["gepa.effect.id"]: span for span in fake.effects()}
    assert rows
    for effect_id, reward, kind, code in rows:
        span = spans[effect_id]
        told = span.attributes
        assert told.get("gepa.reward") == reward
        assert told["gepa.attempts"] == 1
        assert span.kind == "client"
        if kind:
            assert (span.status, span.error) == ("error", f"{kind}: {code}")
            assert (told["gepa.outcome"], told["gepa.failure.kind"], told["error.type"]) == (
                "failed",
                kind,
                code,
            )
        else:
            assert (span.status, told["gepa.outcome"]) == ("unset", "ok")
            assert (told["gepa.cost_usd"], told["gepa.tokens.total"]) == (0.001, 10)
    assert {row[2] for row in rows} >= {"container"}


def test_a_proposal_speaks_the_words_of_generative_ai(traced):
    _, fake = traced
    proposals = fake.named("proposal")
    assert proposals
    for span in proposals:
        told = span.attributes
        assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == "toy-1"
        assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (100, 20)
        assert told["gepa.cost_usd"] == 0.25
    assert not [
        each for span in fake.named("rollout heldout") for each in span.attributes if "gen_ai" in each
    ]


def test_decisions_are_events_of_their_iterations(traced):
    project, fake = traced
    decisions = ("candidate.accepted", "candidate.rejected")
    on_record = {(each["type"], each["iteration"], each["seq"]) for each in project.events(*decisions)}
    told = {
        (name, span.attributes["gepa.iteration"], attributes["gepa.event.seq"])
        for span in fake.named("iteration")
        for name, at, attributes in span.events
        if name in decisions and span.began <= at <= span.ended
    }
    assert told == on_record
    assert {name for name, _, _ in told} == set(decisions)


def test_the_run_says_how_it_ended(traced):
    project, fake = traced
    (run,) = fake.named("run")
    (end,) = project.events("gepa.run.finished")
    assert run.attributes["gepa.run.status"] == "finished"
    assert run.attributes["gepa.best_candidate_id"] == end["best_candidate_id"]
    assert [name for name, _, _ in run.events][:2] == ["gepa.run.started", "container.contract.verified"]
    assert [name for name, _, _ in run.events][-1] == "gepa.run.finished"
    assert run.status == "unset"


def everything_told(fake):
    return repr([(span.attributes, span.events, span.error) for span in fake.spans])


def test_texts_stay_at_home_unless_they_are_allowed_out(project, fake):
    finished(project, project.write(endpoint=fake.url))
    (seed,) = [each for each in project.events("candidate.registered") if each["source"] == "seed"]
    texts = (*TEXTS, *seed["components"].values())
    assert not [text for text in texts if text in everything_told(fake)]
    fake.spans.clear()
    finished(project, project.write("r2", endpoint=fake.url, capture_texts=True))
    assert [text for text in texts if text in everything_told(fake)] == list(texts)


def test_iterations_that_overlap_and_try_several_children_are_told_apart(project, fake):
    finished(project, project.write(endpoint=fake.url, gepa=OVERLAPPING, generations=9))
    assert sorted(span.attributes["gepa.effect.id"] for span in fake.effects()) == project.effects()
    iterations = sorted(fake.named("iteration"), key=lambda span: span.attributes["gepa.iteration"])
    assert [span.attributes["gepa.iteration"] for span in iterations] == list(range(1, 10))
    assert any(one.ended > other.began for one, other in pairwise(iterations))
    (run,) = fake.named("run")
    late = [name for name, _, each in run.events if each.get("gepa.iteration")]
    assert late == ["gepa.stop"]
    told = [each["gepa.event.seq"] for span in iterations for name, _, each in span.events if name in ENDS]
    assert sorted(told) == [event["seq"] for event in project.events(*ENDS)]


@pytest.mark.parametrize("place", ["after_commit:6", "before_commit:14", "after_send:40", "before_send:70"])
def test_a_run_that_is_killed_continues_its_trace(project, fake, place):
    config = project.write(endpoint=fake.url)
    late = place == "before_send:70"
    seconds = "0.1" if late else "0.002"
    assert project.run(config, GEPA_FAILPOINT=place, TOY_SECONDS=seconds).returncode == -9
    assert bool(fake.spans) >= late
    assert not fake.named("run")
    done = project.resume()
    assert done.returncode == 0, done.stderr
    assert {span.trace for span in fake.spans} == {f"{trace_id('r1'):032x}"}
    counts = Counter(span.id for span in fake.spans)
    assert set(counts.values()) == {1}
    told = {span.attributes["gepa.effect.id"] for span in fake.effects()}
    assert told <= set(project.effects())
    (run,) = fake.named("run")
    assert all(run.began <= span.began <= span.ended <= run.ended for span in fake.spans)
    iterations = {span.id: span for span in fake.named("iteration")}
    for span in fake.effects():
        above = iterations.get(span.parent, run)
        assert above.began <= span.began


def test_a_run_that_is_interrupted_and_resumed_loses_no_effect(project, fake):
    config = project.write(endpoint=fake.url)
    done = project.run(config, TOY_INTERRUPT="30")
    assert done.returncode == 130, done.stderr
    before = len(fake.spans)
    assert before
    assert not fake.named("run")
    assert project.resume().returncode == 0
    assert sorted(span.attributes["gepa.effect.id"] for span in fake.effects()) == project.effects()
    assert len(fake.named("iteration")) == 6
    (run,) = fake.named("run")
    assert all(run.began <= span.began for span in fake.spans)


def test_two_runs_in_one_process_have_traces_of_their_own(here, fake):
    from concurrent.futures import ThreadPoolExecutor

    from opentelemetry import trace

    before = trace.get_tracer_provider()
    runs = [GepaRun.from_toml(here.write(name, endpoint=fake.url), environ={}) for name in ("r1", "r2")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(GepaRun.execute, runs))
    assert trace.get_tracer_provider() is before
    for name in ("r1", "r2"):
        mine = [span for span in fake.spans if span.trace == f"{trace_id(name):032x}"]
        assert {span.attributes["gepa.run.id"] for span in mine} == {name}
        told = sorted(each.attributes.get("gepa.effect.id", "") for each in mine)
        assert [each for each in told if each] == here.effects(name)
        assert hexed(iteration_name(1), name) in {span.id for span in mine}
