from __future__ import annotations

import random

import pytest

from gepa_codex import prompt
from gepa_codex.prompt import build_prompt, repair_prompt
from gepa_framework.types import (
    Candidate,
    EvidenceFrame,
    FailureKind,
    FrameKind,
    Joined,
    LeftOut,
    LineageStep,
    Overtaken,
    RejectedAttempt,
    Repair,
    RolloutFailure,
)


def frame(reward: float | None, output: str = "out", **more) -> EvidenceFrame:
    return EvidenceFrame("row", {"query": f"asks for {output}"}, reward, output, **more)


def test_texts_objectives_task_and_answer_format_are_in_the_prompt(request_):
    text = build_prompt(request_(task={"description": "bank questions"})).text
    assert "bank questions" in text
    assert "<current_text>\nAnswer {query}.\n\n</current_text>" in text
    assert "What a better text would achieve: be right" in text
    assert '"candidate": {"system": "<new text>", "style": "<new text>"}' in text


def test_the_same_request_gives_the_same_prompt_whatever_the_order_of_keys(request_):
    one = request_(task={"a": 1, "b": {"c": 2, "d": 3}})
    other = request_(task={"b": {"d": 3, "c": 2}, "a": 1})
    assert build_prompt(one) == build_prompt(other)


def test_a_text_that_is_not_asked_for_is_shown_as_fixed(request_):
    text = build_prompt(request_(components=("system",))).text
    fixed = text.split("# Texts that stay as they are")[1]
    assert "Be brief." in fixed
    assert '"candidate": {"system": "<new text>"}' in text


def test_both_ways_to_change_a_text_are_explained(request_):
    text = build_prompt(request_()).text
    assert '"edits": []}' in text
    assert '{"component": "<name>", "search": "<piece of the current text>"' in text
    assert "exactly once" in text


def test_an_answer_that_was_overtaken_is_shown_with_what_joined_since(request_):
    joined = Joined("gepa_7", 3, 0.75, {"answer": "Be brief."})
    text = build_prompt(request_(overtaken=Overtaken({"answer": "Be long."}, (joined,)))).text
    assert "gepa_7, mean reward 0.750" in text
    assert "Be brief." in text
    assert "Be long." in text.partition("<first_answer>")[2].partition("</first_answer>")[0]
    assert "first_answer" not in build_prompt(request_()).text


def test_a_refused_answer_is_shown_with_its_faults(request_):
    repair = Repair(("'Anser' occurs 0 times", "the text of 'style' is empty"), '{"components":{"style":""}}')
    text = build_prompt(request_(repair=repair)).text
    assert "* 'Anser' occurs 0 times\n* the text of 'style' is empty\n" in text
    assert '<refused_answer>\n{"components":{"style":""}}\n</refused_answer>' in text
    assert "refused_answer" not in build_prompt(request_()).text


def test_losses_come_first_and_wins_last(request_):
    frames = (frame(1.0, "won"), frame(0.5, "half"), frame(None, "broke"), frame(0.0, "lost"))
    text = build_prompt(request_(evidence=frames)).text
    places = [text.index(f"<output>\n{word}\n") for word in ("lost", "half", "broke", "won")]
    assert places == sorted(places)
    assert "3 missed, 1 handled well; 4 shown, 0 left out" in text


def test_the_run_says_what_is_a_loss_whatever_the_reward(request_):
    frames = (frame(90.0, kind=FrameKind.WIN), frame(40.0, kind=FrameKind.LOSS))
    text = build_prompt(request_(evidence=frames)).text
    assert "Example 1: missed, reward 40" in text
    assert "Example 2: handled well, reward 90" in text


def test_a_failed_rollout_says_why(request_):
    failure = RolloutFailure(FailureKind.TIMEOUT, "too_slow", "no answer in 5 s")
    text = build_prompt(request_(evidence=(frame(None, failure=failure),))).text
    assert "missed, no score" in text
    assert "timeout (too_slow): no answer in 5 s" in text


def test_feedback_and_objectives_are_shown(request_):
    shown = frame(0.0, feedback={"expected": "card_lost"}, objectives={"brevity": 0.25})
    text = build_prompt(request_(evidence=(shown,))).text
    assert "card_lost" in text
    assert '"brevity": 0.25' in text


def test_what_a_container_tells_is_shown_by_its_names(request_):
    shown = frame(
        0.0,
        side_info={"hint": "ask twice"},
        rationales={"accuracy": "one of four"},
        metrics={"penalty": -0.5},
        count=3,
    )
    text = build_prompt(request_(evidence=(shown,))).text
    for piece in (
        "<what_helps>",
        "ask twice",
        "<rationales>",
        "one of four",
        "<terms_of_the_reward>",
        "-0.5",
    ):
        assert piece in text
    assert "Example 1: missed, reward 0, 3 times alike" in text


def test_what_the_request_left_out_is_counted(request_):
    built = build_prompt(request_(evidence=(frame(0.0),), left_out=LeftOut(5, 3, 2, 999)))
    assert "4 missed, 2 handled well; 1 shown, 5 left out for lack of room" in built.text
    assert (built.shown, built.left_out) == (1, 5)


def test_the_lineage_is_told_beyond_the_seed(request_):
    seed = LineageStep("c0", 0, score=0.25)
    step = LineageStep("c1", 3, ("system",), "because of tables", score=0.5)
    text = build_prompt(request_(lineage=(seed, step))).text
    assert "- Iteration 0, the first texts: scored 0.25." in text
    assert "- Iteration 3, system: scored 0.5. because of tables" in text
    assert "How the texts came to be" not in build_prompt(request_(lineage=(seed,))).text


def test_no_evidence_is_said(request_):
    assert "No examples were recorded." in build_prompt(request_(evidence=())).text


def test_too_much_evidence_is_cut_and_counted(request_):
    frames = tuple(frame(0.0, f"{n}" * 5_000) for n in range(10))
    built = build_prompt(request_(evidence=frames), limit=20_000)
    assert len(built.text) < 26_000
    assert (built.shown, built.left_out) == (10, 0)
    assert built.text.count("characters left out ...]") >= 10


def test_frames_without_room_are_left_out_and_counted(request_):
    frames = (*(frame(1.0, "w" * 3_000) for _ in range(20)), frame(0.0, "l" * 3_000))
    built = build_prompt(request_(evidence=frames), limit=5_000)
    assert (built.shown, built.left_out) == (5, 16)
    assert "16 left out for lack of room" in built.text
    assert "Example 1: missed, reward 0" in built.text


@pytest.mark.parametrize("seed", range(20))
def test_evidence_keeps_to_its_limit(request_, seed):
    draw = random.Random(seed)
    frames = tuple(
        frame(draw.choice([0.0, 1.0, None]), "x" * draw.randrange(9_000)) for _ in range(draw.randrange(60))
    )
    empty = len(build_prompt(request_(evidence=())).text)
    built = build_prompt(request_(evidence=frames), limit=30_000)
    assert len(built.text) - empty < 30_000 * 1.25
    assert built.shown + built.left_out == len(frames)


def test_refused_attempts_are_shown_with_their_scores(request_):
    attempts = (RejectedAttempt("c1", {"system": "Answer loudly."}, "no improvement", 0.5, 0.25),)
    text = build_prompt(request_(rejected=attempts)).text
    assert "no improvement (mean reward before 0.5, after 0.25)" in text
    assert "Answer loudly." in text


def test_of_too_many_refused_attempts_the_latest_are_shown(request_):
    attempts = tuple(RejectedAttempt(f"c{n}", {"system": f"try {n:03}"}, "worse") for n in range(200))
    text = build_prompt(request_(rejected=attempts)).text
    assert "try 199" in text
    assert "try 000" not in text


def test_advice_is_passed_on(request_):
    assert (
        "# Advice from the owner of the program\nUse tables."
        in build_prompt(request_(), advice="Use tables.\n").text
    )
    assert "Advice from" not in build_prompt(request_()).text


def test_what_no_utf_8_can_hold_is_replaced(request_):
    parent = Candidate.of({"system": "bad \ud800 letter", "style": "s"})
    build_prompt(request_(parent=parent)).text.encode("utf-8")
    repair_prompt("\udfff").encode("utf-8")


def test_a_prompt_beyond_what_codex_takes_is_refused(run, proposing, stub, request_, monkeypatch):
    monkeypatch.setattr("gepa_codex.proposer.PROMPT_LIMIT", 500)

    async def propose():
        async with proposing(**stub.config("ok")) as proposer:
            await proposer.propose(request_())

    with pytest.raises(Exception, match="characters, codex takes 500; the texts are too long"):
        run(propose())
    assert prompt.PROMPT_LIMIT < 1_048_576
