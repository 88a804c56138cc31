from __future__ import annotations

import json

import pytest

from gepa_codex.answer import AnswerError, output_schema, parse_answer

CURRENT = {"system": "Old text.\n", "style": "Be brief."}


def parse(text: str, components=("system", "style")):
    return parse_answer(text, components, CURRENT, lambda value: "hush" in value)


def answer(**candidate) -> str:
    return json.dumps({"rationale": "r", "candidate": candidate})


def test_only_what_changes_is_kept():
    assert parse(answer(system="New text.", style="Be brief.")).changes == {"system": "New text."}


def test_white_space_at_the_ends_is_no_change():
    assert parse(answer(system="Old text.", style=" Be brief.\n")).changes == {}


def test_a_changed_text_is_kept_as_it_is():
    assert parse(answer(system="  New\n", style="Be brief.")).changes == {"system": "  New\n"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("Sure!", "it is not JSON"),
        ('{"rationale": "r", "candidate": {"system": "abc', "it is cut off"),
        ('{"rationale": "r", "candidate": {', "it is cut off"),
        ("```json\n{}\n```", "it stands in a code fence"),
        ("[1]", "it is not a JSON object"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"rationale": "a", "rationale": "b", "candidate": {}}', "a name occurs twice"),
        ('{"candidate": {}}', "the answer lacks rationale"),
        ('{"rationale": 1, "candidate": {}}', "rationale is not a string"),
        ('{"rationale": "r", "candidate": []}', "candidate is not an object"),
        (answer(system="x"), "candidate lacks style"),
        (
            answer(system="x", style="y", other="z"),
            "unknown names: other; allowed are style, system",
        ),
        (answer(system=None, style="y"), "candidate.system is not a string"),
        (answer(system=" \n", style="y"), "candidate.system is empty"),
        (answer(system="hush", style="y"), "candidate.system holds a credential"),
    ],
    ids=lambda value: value[:20],
)
def test_an_unusable_answer_is_refused_with_its_fault(text, problem):
    with pytest.raises(AnswerError, match=problem):
        parse(text)


def test_the_schema_is_strict_at_every_level():
    schema = output_schema(("system", "a b"))
    inner = schema["properties"]["candidate"]
    assert schema["required"] == ["rationale", "candidate"]
    assert inner["required"] == ["system", "a b"]
    assert schema["additionalProperties"] is inner["additionalProperties"] is False
