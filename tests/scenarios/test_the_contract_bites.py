"""The contract of scenarios: the good one passes, and each that breaks a promise fails the test of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

SUITE = """
import {module}
import pytest
from gepa_framework.testing.contracts import ScenarioContract


class TestIt(ScenarioContract):
    @pytest.fixture
    def plugin(self):
        return {module}
"""
FORGOTTEN = """
from gepa_framework.testing.contracts import ScenarioContract


class TestIt(ScenarioContract):
    pass
"""
CHECK = "import json, sys; sys.exit('skills' not in json.load(open(sys.argv[1]))['components'])"
GOOD = f"validator=('{{python}}', '-c', {CHECK!r}, '{{artifact}}')"
PREFLIGHT = "its_preflight_passes_and_leaves_nothing_behind"
INIT = "what_init_writes_passes_check"
#: What a mutant's scenario says, and the test that must fail.
MUTANTS = {
    f"[scenario({GOOD}, summary='No sentence')]": "its_summaries_are_sentences",
    f"[scenario({GOOD}, budgets={{}})]": "every_run_has_a_limit",
    f"[scenario({GOOD}, environ={{'PATH': ''}})]": "every_variable_says_what_it_is_for",
    f"[scenario({GOOD}, summary=f'Tries {{id(object())}} {{__import__(\"time\").time_ns()}}.')]": (
        "it_offers_the_same_each_time"
    ),
    f"[scenario({GOOD}, config={{**CONFIG, 'gepa': {{'minibatch_sise': 3}}}})]": INIT,
    f"[scenario({GOOD}, config={{**CONFIG, 'selection': {{'epsilon': 0.3}}}})]": INIT,
    "[scenario(validator=('sh', '-c', 'touch left'))]": PREFLIGHT,
    f"[scenario({GOOD}, score=ScoreShape('speed'))]": PREFLIGHT,
    "[scenario(validator=('true',))]": "its_validator_refuses_what_is_no_artefact",
    "[scenario(command=('x',), validator=('true', '{artifact}'))]": PREFLIGHT,
}


@pytest.fixture
def tried(bench, tmp_path):
    """Run the contract against what an extra offers; give the tests that failed, and what was said."""

    def tried(scenarios: str, suite: str = SUITE, only: str = "test"):
        bench.offer(scenarios=scenarios)
        path = tmp_path / "test_it.py"
        path.write_text(suite.format(module="gf_sc_scenario_skills"))
        environ = {**os.environ, "PYTHONPATH": str(bench.site), "PYTEST_ADDOPTS": ""}
        options = [
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-c",
            os.devnull,
            "-k",
            only,
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, f"--rootdir={tmp_path}", str(path)],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        return set(re.findall(r"^(?:FAILED|ERROR) .*::test_(\w+)", done.stdout, re.MULTILINE)), done.stdout

    return tried


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_good_one_passes(tried) -> None:
    failed, said = tried(f"[scenario({GOOD})]")
    assert failed == set(), said
    assert "passed" in said


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("scenarios", "test"), MUTANTS.items(), ids=lambda value: value[:40])
def test_a_mutant_fails_the_test_of_its_promise(tried, scenarios, test) -> None:
    failed, said = tried(scenarios, only=test)
    assert failed == {test}, said


def test_a_plugin_that_is_forgotten_is_an_error(tried) -> None:
    failed, said = tried("[scenario()]", FORGOTTEN)
    assert PREFLIGHT in failed
    assert "TestIt must override the fixture plugin" in said


def test_an_extra_whose_name_does_not_say_so_fails(bench, tried) -> None:
    text = "import gf_sc_scenario_skills as kept\nimport types\nodd = types.SimpleNamespace(**vars(kept))\n"
    suite = SUITE.replace("import pytest\n", f"import pytest\n{text}", 1).replace(
        "return {module}",
        "import attrs; odd.plugin_info = attrs.evolve(kept.plugin_info, name='x'); return odd",
    )
    name = "its_name_says_that_it_has_scenarios"
    assert tried("[scenario()]", suite, only=name)[0] == {name}
