from __future__ import annotations

import json

import pytest

from gepa_codex.answer import Answer, AnswerError, output_schema, parse_answer
from gepa_framework.types import Edit

CURRENT = {"system": "Old text.\n", "style": "Be brief."}


def parse(text: str, components=("system", "style")):
    return parse_answer(text, components, CURRENT, lambda value: "hush" in value)


def answer(*edits, **candidate) -> str:
    return json.dumps({"rationale": "r", "candidate": candidate, "edits": edits})


def edit(component="system", search="Old", replace="New") -> dict:
    return {"component": component, "search": search, "replace": replace}


def test_only_what_changes_is_kept():
    assert parse(answer(system="New text.", style="Be brief.")).changes == {"system": "New text."}


def test_white_space_at_the_ends_is_no_change():
    assert parse(answer(system="Old text.", style=" Be brief.\n")).changes == {}


def test_a_changed_text_is_kept_as_it_is():
    assert parse(answer(system="  New\n", style="Be brief.")).changes == {"system": "  New\n"}


def test_null_is_no_change():
    assert parse(answer(system=None, style=None)) == Answer("r", {}, {})


def test_edits_are_kept_in_their_order_by_component():
    edits = (edit(replace="1"), edit("style", "brief", ""), edit(search="text", replace="2"))
    found = parse(answer(*edits, system=None, style="Be brief.")).edits
    assert found == {"system": (Edit("Old", "1"), Edit("text", "2")), "style": (Edit("brief", ""),)}


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
        ('{"candidate": {}, "edits": []}', "the answer lacks rationale"),
        ('{"rationale": "r", "candidate": {}}', "the answer lacks edits"),
        ('{"rationale": 1, "candidate": {}, "edits": []}', "rationale is not a string"),
        ('{"rationale": "r", "candidate": [], "edits": []}', "candidate is not an object"),
        (answer(system="x"), "candidate lacks style"),
        (
            answer(system="x", style="y", other="z"),
            "unknown names: other; allowed are style, system",
        ),
        (answer(system=5, style="y"), "candidate.system is not a string"),
        (answer(system=" \n", style="y"), "candidate.system is empty"),
        (answer(system="hush", style="y"), "candidate.system holds a credential"),
        (
            '{"rationale": "r", "candidate": {"system": null, "style": null}, "edits": {}}',
            "edits is not an array",
        ),
        (answer("x", system=None, style=None), r"edits\[0\] is not an object"),
        (answer(edit(), {}, system=None, style=None), r"edits\[1\] lacks component, replace, search"),
        (answer({**edit(), "all": True}, system=None, style=None), r"edits\[0\] has unknown names: all"),
        (answer(edit(search=5), system=None, style=None), r"edits\[0\].search is not a string"),
        (answer(edit("x"), system=None, style=None), r"edits\[0\].component must be one of system, style"),
        (answer(edit(search=""), system=None, style=None), r"edits\[0\].search is empty"),
        (answer(edit(replace="hush"), system=None, style=None), r"edits\[0\].replace holds a credential"),
        (answer(edit(), system="x", style=None), "candidate.system is a new text and there are edits"),
    ],
    ids=lambda value: value[:20],
)
def test_an_unusable_answer_is_refused_with_its_fault(text, problem):
    with pytest.raises(AnswerError, match=problem):
        parse(text)


def test_the_schema_is_strict_at_every_level():
    schema = output_schema(("system", "a b"))
    inner = schema["properties"]["candidate"]
    edit = schema["properties"]["edits"]["items"]
    assert schema["required"] == ["rationale", "candidate", "edits"]
    assert inner["required"] == ["system", "a b"]
    assert edit["required"] == ["component", "search", "replace"]
    assert edit["properties"]["component"]["enum"] == ["system", "a b"]
    assert all(part["additionalProperties"] is False for part in (schema, inner, edit))


def test_edits_and_the_current_text_repeated_are_edits():
    found = parse(answer(edit(), system="Old text.", style=None))
    assert (found.changes, found.edits) == ({}, {"system": (Edit("Old", "New"),)})
