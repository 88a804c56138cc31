from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gepa_framework.engine.checking import ANSWER_LIMIT, check, repair_of
from gepa_framework.engine.fences import ends_in_fence, is_one_fence
from gepa_framework.types import Candidate, ComponentSpec, Edit, Program, Proposal, ProposalRequest

PARENT = "Answer {question} in one word.\n"
SPECS = (ComponentSpec("prompt", template_variables=("question",)), ComponentSpec("style"))


def checked(proposal: Proposal, *, prompt: str = PARENT, style: str = "Be brief.", limit: int = 100_000):
    texts = {"prompt": prompt, "style": style, "fixed": "stays"}
    program = Program("p", "t", SPECS, ("prompt", "style"), seed=texts)
    request = ProposalRequest("proposal/1", 1, Candidate.of(texts), ("prompt", "style"), (), (), program)
    return check(request, proposal, limit=limit)


def faults(text: object, *, of: str = "style", **more) -> tuple[str, ...]:
    return checked(Proposal({of: text}), **more).faults


def in_place_of(parent: str, text: str) -> tuple[str, ...]:
    return faults(text, of="prompt", prompt=parent)


# Surrogates included: a model's answer may hold one.
anything = st.text(st.characters(exclude_categories=()), max_size=60) | st.text('`~{}":\n ab-1.', max_size=60)
a_line = st.text(st.characters(exclude_characters="`\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=30)
prose = st.builds(str.__add__, st.sampled_from(["", "Use ``` for code. ", "- a list: ", "`x` "]), a_line)
word = st.sampled_from(["", "python", "json", "c++", "text title"])
indent = st.sampled_from(["", "  ", "    ", "- ", "1. "])


@st.composite
def block(draw) -> list[str]:
    before, marks = draw(indent), "`" * draw(st.integers(3, 5))
    inside = draw(st.lists(a_line, max_size=3))
    return [f"{before}{marks}{draw(word)}", *inside, f"{' ' * len(before)}{marks}"]


paragraphs = st.lists(st.one_of(prose.map(lambda line: [line]), block()), max_size=5)
#: Prose and code in any order; some prose there always is, for a text that is code alone is no ordinary one.
documents = st.builds(
    lambda before, after: "\n".join(line for part in [*before, ["And so on."], *after] for line in part),
    paragraphs,
    paragraphs,
)


@given(anything, anything, st.booleans(), st.lists(st.builds(Edit, anything, anything), max_size=3))
def test_no_text_makes_the_check_fail_itself(text, parent, truncated, edits):
    assume(parent.strip())
    found = checked(Proposal({"style": text}, edits={"prompt": edits}, truncated=truncated), prompt=parent)
    assert all(found.faults)
    if not truncated:
        assert found.faults or set(found.texts) == {"prompt", "style"}


@given(documents, documents)
def test_an_ordinary_text_is_never_refused(text, parent):
    assert in_place_of(parent, text) == ()


@given(documents)
def test_a_text_is_taken_as_it_is(text):
    assert checked(Proposal({"style": text})).texts == {"style": text}


@pytest.mark.parametrize(
    "text",
    [
        "Answer {question}, then say why: {why}.",
        "Größe, naïveté, 日本語, \U0001f600, \u200b.",
        "Heading\n~~~~~~~\n\nText.",
        'Give JSON such as\n```json\n{"a": 1}\n```\nand no more.',
        "{question} first",
        "{}",
        'Answer with {"answer": "..."}.',
        "````markdown\n```python\nx\n```\n````\nas above",
        "Give Markdown:\n```markdown\nText\n```python\nx = 1\n```\nmore\n```\nas above",
        'Then\n```python title="a.py"\nx = 1\n```\nend',
        "1. First\n   ```sh\n   ls\n   ```\n2. Then\n    - ```\n      a\n      ```",
        "```python\nx\n```\nand also\n```\ny\n```",
        "``` marks the beginning and the end of code.",
        "\n\n  indented, and with room at its end \n\n",
        "...",
    ],
    ids=range(15),
)
def test_texts_that_look_odd_are_let_through(text):
    assert faults(text) == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "the text of 'style' is empty"),
        (" \n\t\u2003", "the text of 'style' is empty"),
        (None, "the text of 'style' is NoneType, not a string"),
        (["a"], "the text of 'style' is list, not a string"),
        ("```\nBe short.\n```", "stands in a code fence as a whole"),
        ("\n```markdown\nBe short.\n```python\nx\n```\nso\n```\n ", "stands in a code fence as a whole"),
        ("Be short:\n```python\nx = ", "ends inside of a code fence"),
        ("```a\nx\n```\n\n- ```b\n  y", "ends inside of a code fence"),
        ("Give:\n```markdown\n# A\n```python\nx = ", "ends inside of a code fence"),
        ("Give:\n````markdown\n```\nx = ", "ends inside of a code fence"),
        ('{"style": "Be short."}', "is a JSON object"),
        (' {"candidate": {"style": "Be short."}}\n', "is a JSON object"),
    ],
)
def test_what_is_no_text_for_a_program_is_refused(text, fault):
    (found,) = faults(text)
    assert fault in found


def test_a_text_nested_too_deep_to_be_read_is_no_json():
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    assert faults(deep, limit=10**6) == ()


def test_what_the_parent_is_its_child_may_be():
    assert in_place_of("```\nold\n```", "```\nnew\n```") == ()
    assert in_place_of("Write:\n```python\n", "Now write:\n```python\n") == ()
    assert in_place_of('{"a": "old"}', '{"a": "new"}') == ()
    assert in_place_of('["old"]', '{"a": "new"}') == ()


def test_a_text_that_stays_is_no_fault_whatever_it_is():
    for text in (" ", "```\nold\n```", "x" * 50):
        assert faults(text, of="prompt", prompt=text, limit=10) == ()


def test_a_text_may_be_as_long_as_the_limit_and_no_longer():
    assert faults("x" * 50, limit=50) == ()
    assert faults("x" * 51, limit=50) == ("the text of 'style' has 51 characters, and 50 are allowed",)


@pytest.mark.parametrize(
    "kept", ["{question}", "{ question }", "{{question}}", "{question!r:>10}", "${question}"]
)
def test_a_variable_may_be_written_in_another_way(kept):
    assert in_place_of(PARENT, f"Say what {kept} asks for.") == ()


@pytest.mark.parametrize("without", ["Answer it.", "Answer {questions}.", "Answer question.", "Answer { }."])
def test_a_variable_that_the_program_declares_may_not_get_lost(without):
    (found,) = in_place_of(PARENT, without)
    assert found == "the text of 'prompt' has lost the variable '{question}', which the program fills in"


def test_a_variable_that_the_parent_does_not_have_is_not_missed():
    assert in_place_of("Answer.", "Answer well.") == ()
    assert faults("Be {brief}.") == ()
    assert faults("Be brief.", style="Be brief about {question}.") == ()
    assert in_place_of("Answer {question} as {who}.", "Answer {question}.") == ()


def test_a_component_that_is_not_asked_for_is_named_with_those_that_are():
    found = checked(Proposal({"fixed": "new", "promt": "new"}, edits={"other": [Edit("a", "b")]})).faults
    assert found == tuple(
        f"'{name}' may not be changed; the request names 'prompt', 'style'"
        for name in ("fixed", "promt", "other")
    )


def test_a_component_has_a_new_text_or_edits():
    found = checked(Proposal({"style": "Be terse."}, edits={"style": [Edit("brief", "terse")]}))
    assert found.faults == ("'style' has both a new text and edits; give one of them",)


def test_edits_are_made_in_the_parents_text():
    proposal = Proposal(
        {"style": "Be terse."}, edits={"prompt": [Edit("one word", "a word"), Edit("\n", "")]}
    )
    found = checked(proposal)
    assert found.faults == ()
    assert found.texts == {"style": "Be terse.", "prompt": "Answer {question} in a word."}


def test_edits_that_cannot_be_made_are_told_with_their_component():
    (found,) = checked(Proposal(edits={"prompt": [Edit("Answer", "Say"), Edit("Answer", "Tell")]})).faults
    assert found.startswith("the text of 'prompt' cannot be edited: edit 2 of 2")
    assert "'Answer' occurs 0 times" in found


def test_what_edits_make_is_checked_like_any_text():
    lost = checked(Proposal(edits={"prompt": [Edit("{question}", "it")]})).faults
    assert "has lost the variable" in lost[0]
    assert "is empty" in checked(Proposal(edits={"style": [Edit("Be brief.", " ")]})).faults[0]


def test_an_answer_that_was_cut_off_is_refused_though_its_texts_look_whole():
    (found,) = checked(Proposal({"style": "Be"}, truncated=True)).faults
    assert "cut off" in found


def test_all_faults_are_told_at_once_and_no_more_than_can_be_read():
    many = {f"c{number:03}": "x" for number in range(100)}
    found = checked(Proposal(many)).faults
    assert len(found) == 21
    assert found[-1] == "there are 80 faults more"
    assert len(checked(Proposal({"style": "", "prompt": ""})).faults) == 2


def test_a_repair_holds_the_answer_as_json():
    proposal = Proposal({"style": "naïve"}, edits={"prompt": [Edit("a", "b")]})
    repair = repair_of(proposal, ("it is bad",))
    assert repair.faults == ("it is bad",)
    assert json.loads(repair.answer) == {
        "components": {"style": "naïve"},
        "edits": {"prompt": [{"search": "a", "replace": "b"}]},
    }


def test_a_repair_repeats_a_long_answer_in_part_and_says_so():
    answer = repair_of(Proposal({"style": "x" * 90_000}), ()).answer
    assert len(answer) < ANSWER_LIMIT + 50
    assert "characters left out ...]" in answer


@given(anything)
def test_fences_are_read_in_any_text(text):
    assert not (is_one_fence(text) and ends_in_fence(text))


def test_many_fences_are_read_in_no_time():
    assert ends_in_fence("```\n" * 100_001)
    assert not ends_in_fence("```a\n" * 50_000 + "```\n" * 50_000)
