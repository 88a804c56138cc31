from __future__ import annotations

import pytest

from gepa_framework.app.scenarios import listed_scenarios
from gepa_framework.errors import (
    PluginAmbiguousError,
    PluginBrokenError,
    PluginError,
    ScenarioNotFoundError,
)
from gepa_framework.plugins import Plugins
from gepa_framework.types import Kind

NO_HOOK = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import *
plugin_info = PluginInfo(Kind.EXTRA, "{name}", ">=1.0,<2")
@hookimpl
def {hook}():
    return []
"""


def test_a_scenario_is_had_by_its_id_and_imports_its_extra_alone(bench) -> None:
    bench.offer()
    bench.offer("other", dist="gf-more")
    assert Plugins.discover().scenario("skills").summary == "Tries things."
    assert bench.imported() == {"gf_sc_scenario_skills"}


@pytest.mark.parametrize("name", ["gf-sc:skills", "gf_sc:skills", "scenario.skills", "SKILLS"])
def test_it_is_named_as_plugins_are(bench, name) -> None:
    bench.offer()
    assert Plugins.discover().scenario(name).id == "skills"


def test_an_extra_may_have_variants(bench) -> None:
    bench.offer(scenarios="[scenario(), scenario(id='skills/large', summary='More of it.')]")
    plugins = Plugins.discover()
    assert plugins.scenario("skills").id == "skills"
    assert plugins.scenario("skills/large").summary == "More of it."
    with pytest.raises(ScenarioNotFoundError, match="no scenario of gf-sc called 'skills/larg'") as caught:
        plugins.scenario("skills/larg")
    assert caught.value.hint == "did you mean 'skills/large'? There are: skills, skills/large"


def test_an_unknown_id_names_the_known_ones_and_imports_nothing(bench) -> None:
    bench.offer(text="raise RuntimeError('imported')")
    bench.offer("other", dist="gf-more", text="raise RuntimeError('imported')")
    with pytest.raises(ScenarioNotFoundError) as caught:
        Plugins.discover().scenario("skils")
    assert caught.value.hint.startswith("did you mean 'skills'? There are: ")
    assert "other" in caught.value.hint
    with pytest.raises(ScenarioNotFoundError, match="there are: "):
        Plugins.discover().scenario("zzzz")


def test_two_distributions_with_one_name_are_told_apart(bench) -> None:
    bench.offer()
    bench.offer(dist="gf-more", scenarios="[scenario(summary='The other.')]")
    plugins = Plugins.discover()
    with pytest.raises(PluginAmbiguousError, match="two distributions offer the extra"):
        plugins.scenario("skills")
    assert plugins.scenario("gf-more:skills").summary == "The other."
    names = [
        each.name_of(each.scenarios[0]) for each in listed_scenarios(plugins) if "gf-" in each.found.dist
    ]
    assert names == ["gf-more:skills", "gf-sc:skills"]


def test_a_list_of_all_imports_no_other_plugin_and_tells_of_broken_ones(bench) -> None:
    bench.offer()
    bench.offer("bad", dist="gf-bad", text="import gf_nowhere")
    bench.install("gf-cmd", "extras", "tool", "raise RuntimeError('imported')")
    listed = {each.found.scenario: each for each in listed_scenarios(Plugins.discover())}
    assert [scenario.id for scenario in listed["skills"].scenarios] == ["skills"]
    assert "the extra 'scenario.bad' of gf-bad 1.0" in listed["bad"].problem
    assert {"gf_cmd_tool", "gf_task_skills", "gf_propose_practice"} & bench.imported() == set()


@pytest.mark.parametrize(
    ("scenarios", "said"),
    [
        ("None", "returned None"),
        ("[]", "returned []"),
        ("'skills'", "returned 'skills'"),
        ("[3]", "returned 3 among the scenarios"),
        ("[scenario(id='others')]", "its id must be 'skills', or begin with 'skills/'"),
        ("[scenario(), scenario()]", "two scenarios with the id 'skills'"),
        ("[scenario(tools=[Tool('git', '2 or more')])]", "unreadable range of versions: '2 or more'"),
        ("1 / 0", "gepa_scenarios raised ZeroDivisionError"),
        ("[scenario(id='Big Words')]", "id is lower case words"),
        ("[scenario(summary='two\\nlines')]", "summary must be one line"),
        ("[scenario(command=('a', ''))]", "command must be words"),
        ("[scenario(tools=['git'])]", "tools must be of Tool"),
        ("[scenario(tools=[Tool('git', pattern='[')])]", "pattern is no regular expression"),
        ("[scenario(tools=[Tool('git', pattern='1')])]", "pattern must have one group"),
        ("[scenario(environ={'A-B': ''})]", "'A-B' cannot be one"),
        ("[scenario(budgets={'max_total_rollouts': 0})]", "max_total_rollouts must be a number above 0"),
        ("[scenario(budgets={'a.b': 1})]", "'a.b' cannot be one"),
        ("[scenario(artifact=Artifact('../best.json'))]", "path is a path below the run's directory"),
        ("[scenario(artifact=Artifact('/best.json'))]", "path is a path below the run's directory"),
        ("[scenario(score=ScoreShape(low=1, high=0))]", "low and high must be finite and in order"),
        ("[scenario(score=ScoreShape(direction='minimize'))]", "a reward is to be maximised"),
        ("[scenario(smoke=Smoke(seconds=0))]", "'seconds' must be > 0"),
    ],
)
def test_what_is_no_scenario_is_refused_and_its_owner_named(bench, scenarios, said) -> None:
    bench.offer(scenarios=scenarios)
    with pytest.raises(PluginBrokenError) as caught:
        Plugins.discover().scenario("skills")
    assert "the extra 'scenario.skills' of gf-sc 1.0" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hook", "said"),
    [
        ("scenario.odd", "gepa_cli_commands", "implements no gepa_scenarios; define gepa_scenarios()"),
        ("odd", "gepa_scenarios", "has scenarios, and its name does not say so; call it 'scenario.odd'"),
    ],
)
def test_name_and_hook_of_an_extra_must_agree(bench, name, hook, said) -> None:
    bench.install("gf-odd", "extras", name, NO_HOOK.format(name=name, hook=hook))
    with pytest.raises(PluginError) as caught:
        Plugins.discover().load(Kind.EXTRA, name)
    assert said in str(caught.value)
