from __future__ import annotations

import time

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.engine import Leakage, Propose, Selecting
from gepa_framework.engine.spans import Spans, normalised, strings, windows
from gepa_framework.types import TaskRow

QUOTE = "the quick brown fox jumps over the lazy dog and then sleeps"
letters = st.text("ab", max_size=60)
words = st.text("abcAB \n\t\u00df\u2003.", max_size=60)
thorough = settings(max_examples=1500, deadline=None)


def naive(length, known, text, public):
    """Give every span of the text that is known and not public."""
    allowed = windows(map(normalised, public), length)
    return (windows([normalised(text)], length) & windows(map(normalised, known), length)) - allowed


def holds(length, known, text, public):
    """Hold what is found against all that there is to find."""
    found = Spans(length, [(str(n), each) for n, each in enumerate(known)], public[:1]).find(text, public[1:])
    spans = naive(length, known, text, public)
    assert (found is not None) == bool(spans)
    if found is not None:
        assert found.text[:length] in {span[:60] for span in spans}
        assert found.chars >= length
        assert found.text in normalised(text)
        assert found.text in normalised(known[int(found.owner)])


@thorough
@given(
    st.integers(1, 9),
    st.lists(letters, max_size=8),
    letters,
    st.lists(letters, max_size=3),
)
def test_what_is_found_is_what_a_naive_search_finds(length, known, text, public):
    holds(length, known, text, public)


@thorough
@given(
    st.integers(1, 12),
    st.lists(words, min_size=1, max_size=6),
    st.data(),
    st.lists(words, max_size=2),
)
def test_a_quotation_is_found_wherever_it_stands(length, known, data, public):
    source = data.draw(st.sampled_from(known))
    begin = data.draw(st.integers(0, len(source)))
    quoted = source[begin : begin + data.draw(st.integers(0, 30))]
    holds(length, known, data.draw(words) + quoted + data.draw(words), public)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_pieces_with_very_many_surroundings_are_found_too(data):
    length = data.draw(st.integers(4, 12))
    known = [f"{n:b}" * 3 + "aaaaaaaa" + f"{n:b}" * 3 for n in range(120)]
    source = data.draw(st.sampled_from(known))
    begin = data.draw(st.integers(0, len(source)))
    holds(length, known, "xyz" + source[begin : begin + data.draw(st.integers(0, 20))], [data.draw(letters)])


def test_case_and_spacing_make_no_difference():
    spans = Spans(32, [("row", QUOTE)])
    found = spans.find("Say: THE  quick\nbrown\u2003FOX jumps\tover the Lazy dog, always.")
    assert found.owner == "row"
    assert found.text == "the quick brown fox jumps over the lazy dog"
    assert found.chars == 43
    assert spans.find("thequickbrownfoxjumpsoverthelazydogandthensleeps") is None


def test_one_character_less_is_no_quotation():
    spans = Spans(32, [("row", QUOTE)])
    assert spans.find(f"x{QUOTE[3:35]}y").chars == 32
    assert spans.find(f"x{QUOTE[3:34]}y") is None


def test_a_long_quotation_is_told_by_its_beginning_and_length():
    long = " ".join(str(number) for number in range(500))
    found = Spans(32, [("row", long)]).find(f"See {long}!")
    assert found.text == long[:60]
    assert found.chars == len(long)


def test_what_stands_in_two_texts_is_no_span():
    assert Spans(8, [("a", "abcd"), ("b", "efgh"), ("c", "abcdabcd")]).find("abcdefgh") is None


def test_texts_are_found_at_any_depth_and_keys_are_not_texts():
    assert list(strings({"k": ["a", {"l": "b", "m": 3}, None, ("c",)], "n": "d"})) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("known", ["a" * 200_000, "ab" * 100_000, " ".join(map(str, range(40_000)))])
def test_time_grows_with_the_text_and_not_with_its_square(known):
    """Repetitive texts are the hard ones: every piece of them occurs everywhere."""
    spans = Spans(32, [("row", known)])
    began = time.process_time()
    assert spans.find(known[:100_000], [known]) is None
    assert spans.find(known[-50_000:]) is not None
    assert time.process_time() - began < 20


def story(split, seed):
    return TaskRow(f"{split}:{seed}", split, {"text": f"{split} {seed}: {QUOTE}", "label": "fox"}, seed)


@pytest.fixture
def quoting(toy):
    """Play a run whose proposer quotes what a function of the run's number of proposals says."""

    def play(text, *, task=None, seed="0.2", **plan):
        world = toy.World(
            rows=story,
            program=attrs.evolve(toy.PROGRAM, seed={"prompt": seed}),
            score=lambda command: 0.9 if "fox" in command.candidate.components["prompt"] else 0.2,
            propose=[text],
        )
        game = toy.Play(toy.plan(limits={"iterations": 1}, **plan), world).start()
        game.answers["container/metadata"] = attrs.evolve(toy.INFO, task=task or {})
        return game.finish()

    return play


def test_a_proposal_that_quotes_a_training_row_is_refused_before_a_rollout_is_spent(quoting):
    game = quoting(f"fox: {QUOTE}")
    (failed,) = game.of("proposer.failed")
    assert failed.code == "leakage"
    assert "the text of 'prompt' quotes 61 characters of the row 'train:0', from" in failed.message
    assert repr(f": {QUOTE}"[:60]) in failed.message
    assert game.of("proposer.completed") == []
    assert len(game.of("candidate.registered")) == 1


def test_a_heldout_row_must_not_be_quoted_either(quoting):
    (failed,) = quoting("fox: HELDOUT 101: the quick brown fox jumps").of("proposer.failed")
    assert failed.code == "leakage"
    assert "heldout:101" not in failed.message
    assert "quotes a row that no proposer is shown" in failed.message


def test_short_spans_such_as_labels_pass(quoting):
    game = quoting("fox: quick brown fox jumps over the")
    assert game.of("proposer.failed") == []
    assert len(game.of("candidate.accepted")) == 1


def test_the_least_length_is_the_plans(quoting):
    assert quoting("a quick brown fox", leakage=Leakage(min_span_chars=12)).of("proposer.failed")
    assert not quoting("a quick brown fox", leakage=Leakage(min_span_chars=20)).of("proposer.failed")


@pytest.mark.parametrize(
    "task", [{"description": f"Sort stories such as '{QUOTE}'."}, {"a": [{"b": QUOTE.upper()}]}]
)
def test_what_the_task_says_itself_may_be_quoted(quoting, task):
    assert quoting(f"fox: {QUOTE}").of("proposer.failed")
    assert quoting(f"fox: {QUOTE[5:]}", task=task).of("proposer.failed") == []


def test_what_the_parent_or_the_seed_quotes_already_may_stay(quoting):
    assert quoting(f"fox: {QUOTE[4:]}", seed=f"0.2 {QUOTE}").of("proposer.failed") == []


def test_a_span_that_the_parent_has_in_part_counts(quoting):
    game = quoting(f"fox: {QUOTE}", seed=f"0.2 {QUOTE[:40]}")
    assert [failed.code for failed in game.of("proposer.failed")] == ["leakage"]


@pytest.mark.parametrize("hint", ["allow", "forbid", None, 7])
def test_the_task_may_allow_quotations(quoting, hint):
    game = quoting(f"fox: {QUOTE}", task={"proposer_hints": {"literal_training_targets": hint}})
    assert bool(game.of("proposer.failed")) == (hint != "allow")


def test_a_task_with_strange_hints_allows_nothing(quoting):
    assert quoting(f"fox: {QUOTE}", task={"proposer_hints": "allow"}).of("proposer.failed")


def test_the_plan_may_allow_quotations_or_have_them_put_on_record(quoting):
    allowed = quoting(f"fox: {QUOTE}", leakage=Leakage("allow"))
    assert (allowed.of("proposer.failed"), allowed.of("proposal.leak_warned")) == ([], [])
    warned = quoting(f"fox: {QUOTE}", leakage=Leakage("warn"))
    assert warned.of("proposer.failed") == []
    assert len(warned.of("candidate.accepted")) == 1
    (event,) = warned.of("proposal.leak_warned")
    assert (event.iteration, event.parent_id) == (1, warned.run.seed.id)
    assert (event.component, event.row_id, event.chars) == ("prompt", "train:0", 61)
    assert event.span == normalised(f": {QUOTE}")[:60]


def test_the_rows_are_gone_through_once(toy):
    world = toy.World(rows=story, propose=["0.1", "0.15", "0.12"])
    game = toy.Play(toy.plan(), world).start()
    game.until(lambda play: len(play.of("proposer.completed")) == 1)
    spans = game.run.spans
    assert spans is not None
    assert game.finish().run.spans is spans
    assert len(game.world.of(Propose)) == 3


def test_what_the_seed_quoted_may_come_back_when_a_parent_has_dropped_it(toy):
    world = toy.World(
        rows=story,
        program=attrs.evolve(toy.PROGRAM, seed={"prompt": f"0.2 {QUOTE}"}),
        score=lambda command: float(command.candidate.components["prompt"][:3]),
        propose=["0.5 short", f"0.6 {QUOTE}"],
    )
    game = toy.play(toy.plan(selecting=Selecting("current_best"), limits={"iterations": 2}), world)
    assert len(game.of("candidate.accepted")) == 2
    assert game.of("proposer.failed") == []


def test_a_proposer_that_quotes_is_told_so_and_may_answer_once_more(toy):
    world = toy.World(rows=story, propose=[f"0.9 {QUOTE}", "0.5"], score=lambda command: 0.2)
    game = toy.play(toy.plan(limits={"iterations": 1}), world)
    (refused,) = game.of("proposal.refused")
    _, again = (command.request for command in world.of(Propose))
    assert again.repair.faults == refused.reasons
    assert "quotes 60 characters of the row 'train:0'" in refused.reasons[0]
    assert game.of("proposer.failed") == []
    assert game.of("proposer.completed")[0].changed == ("prompt",)
