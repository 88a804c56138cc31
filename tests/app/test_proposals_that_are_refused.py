from __future__ import annotations

import json

import pytest

from gepa_framework import GepaRun
from gepa_framework.app.planning import asked_of_proposer

_PROPOSER = """
import asyncio

class Forgetful:
    \"\"\"Answers with nothing at first, and with edits when told that this is no answer.\"\"\"
    async def propose(self, request):
        text = request.parent.components["skills"]
        told = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2, cost_usd=0.25)
        if request.repair is None:
            return Proposal({{"skills": ""}}, usage=told, model={model!r}, requested_model="wanted")
        edits = [Edit(text, text.replace("0", "4"))]
        return Proposal(edits={{"skills": edits}}, usage=told, model={model!r}, requested_model="wanted")
    async def close(self):
        pass

def make(context):
    return Forgetful()
"""


@pytest.fixture
def forgetful(project):
    """Make runs whose proposer needs a second turn."""

    def forgetful(run_id="r1", *, model="wanted", sets=(), **options):
        project.offer("proposer", "forgetful", _PROPOSER.format(model=model))
        config = project.write(run_id, **options)
        config.write_text(config.read_text().replace('"fake"\n[cache]', '"forgetful"\n[cache]'))
        return GepaRun.from_toml(config, sets=sets, environ={})

    return forgetful


def events(project, name, run_id="r1"):
    lines = map(json.loads, project.normalised(run_id).splitlines())
    return [line for line in lines if line["type"] == name]


def test_a_repaired_proposal_gets_in_and_a_replay_agrees(forgetful, project):
    result = forgetful().execute()
    assert set(result.best_candidate["skills"].split()) == {"4"}
    refused, completed = events(project, "proposal.refused")[0], events(project, "proposer.completed")[0]
    assert refused["reasons"] == ["the text of 'skills' is empty"]
    assert (refused["cost_usd"], completed["cost_usd"]) == (0.25, 0.25)
    assert completed["requested_model"] == completed["model"] == "wanted"
    assert GepaRun.resume(project.directory()).execute().best_candidate == result.best_candidate


def test_an_equal_run_is_answered_from_the_cache_repairs_included(forgetful, project):
    cache = 'namespace = "shared"\npath = "shared.sqlite"'
    forgetful("r1", cache=cache).execute()
    forgetful("r2", cache=cache + '\nmode = "readonly"').execute()
    assert project.normalised("r1") == project.normalised("r2")
    assert events(project, "proposal.refused", "r2")


def test_another_model_than_the_one_asked_for_ends_the_run_unless_it_is_allowed(forgetful, project):
    with pytest.raises(Exception, match="model_substituted: the model 'wanted' was asked for, and 'other'"):
        forgetful(model="other").execute()
    assert {body["code"] for body in events(project, "proposer.failed")} == {"model_substituted"}
    forgetful("r2", model="other", sets=["proposer.allow_model_substitution=true"]).execute()
    assert {body["model"] for body in events(project, "proposer.completed", "r2")} == {"other"}


def test_what_the_framework_allows_is_no_part_of_what_a_proposer_is_asked(forgetful):
    resolved = forgetful(sets=["proposer.allow_model_substitution=true"]).loaded.resolved
    assert resolved["proposer"]["allow_model_substitution"] is True
    assert asked_of_proposer(resolved) == {"backend": "forgetful"}
