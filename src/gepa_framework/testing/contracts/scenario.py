"""What holds for every extra that brings scenarios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gepa_framework.plugins.found import SCENARIO, Found
from gepa_framework.plugins.scenarios import checked_scenarios
from gepa_framework.testing.contracts.info import PluginInfoContract
from gepa_framework.types import Kind, PluginInfo, Scenario

#: Longer than any command of a scenario should take, its preflight aside.
_SECONDS = 50.0


class ScenarioContract(PluginInfoContract):
    """Tests of an extra that brings scenarios. Override `plugin`.

    The package must be installed. Scenarios whose variables are not set are left out of the tests that start
    something; override `environ` to give them.
    """

    kind = Kind.EXTRA

    @pytest.fixture
    def environ(self) -> Mapping[str, str]:
        """Give the environment that commands run in; by default that of the tests."""
        return dict(os.environ)

    @pytest.fixture
    def scenarios(self, plugin: Any, info: PluginInfo) -> Sequence[Scenario]:
        """Give what it offers, held against what the framework asks of scenarios."""
        found = Found(Kind.EXTRA, info.name, "the-plugin-under-test", "0", "")
        return checked_scenarios(found, plugin.gepa_scenarios())

    @pytest.fixture
    def ready(self, scenarios: Sequence[Scenario], environ: Mapping[str, str]) -> Sequence[Scenario]:
        """Give those whose variables are set."""
        ready = [each for each in scenarios if all(environ.get(name) for name in each.environ)]
        if not ready:
            pytest.skip("no scenario has its variables set")
        return ready

    def test_its_name_says_that_it_has_scenarios(self, info: PluginInfo) -> None:
        """`gepa scenario list` finds it by its name alone."""
        assert info.name.startswith(SCENARIO)

    def test_it_offers_the_same_each_time(self, plugin: Any, scenarios: Sequence[Scenario]) -> None:
        """What a run was begun with is what its preflight looks at."""
        assert tuple(plugin.gepa_scenarios()) == tuple(scenarios)

    def test_its_summaries_are_sentences(self, scenarios: Sequence[Scenario]) -> None:
        """`gepa scenario list` has one line for each."""
        assert [each.summary for each in scenarios if not each.summary.endswith(".")] == []

    def test_every_variable_says_what_it_is_for(self, scenarios: Sequence[Scenario]) -> None:
        """Who lacks one is told."""
        silent = [name for each in scenarios for name, purpose in each.environ.items() if not purpose]
        assert not silent, f"variables without a purpose: {', '.join(silent)}"

    def test_every_run_has_a_limit(self, scenarios: Sequence[Scenario]) -> None:
        """Who begins with it spends no more than its makers thought of."""
        assert [each.id for each in scenarios if not each.budgets] == []

    def test_what_init_writes_passes_check(
        self, ready: Sequence[Scenario], environ: Mapping[str, str], tmp_path: Path
    ) -> None:
        """The configuration is whole and right as it is written."""
        for scenario, path in self._written(ready, environ, tmp_path):
            told = tomllib.loads(path.read_text(encoding="utf-8"))
            assert told["run"]["scenario"] == scenario.id
            done = _gepa(environ, tmp_path, "check", "--config", str(path), "--json")
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["warnings"] == []

    def test_its_preflight_passes_and_leaves_nothing_behind(
        self, ready: Sequence[Scenario], environ: Mapping[str, str], tmp_path: Path
    ) -> None:
        """Tools are there, the container answers, and a rollout of the seed has a score of the shape."""
        for scenario in ready:
            seconds = 3 * scenario.smoke.seconds + _SECONDS
            done = _gepa(environ, tmp_path, "scenario", "preflight", scenario.id, seconds=seconds)
            assert done.returncode == 0, done.stderr
            assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("text", ["", "{}", '{"components": {"no-such-component": "x"}}'])
    def test_its_validator_refuses_what_is_no_artefact(
        self, ready: Sequence[Scenario], environ: Mapping[str, str], tmp_path: Path, text: str
    ) -> None:
        """It ends with another code than 0."""
        artifact = tmp_path / "artifact"
        artifact.write_text(text, encoding="utf-8")
        names = {"{python}": sys.executable, "{artifact}": str(artifact)}
        for scenario in ready:
            if not scenario.validator:
                continue
            command = list(scenario.validator)
            for name, value in names.items():
                command = [word.replace(name, value) for word in command]
            assert _run(command, environ, tmp_path).returncode != 0, scenario.id

    @staticmethod
    def _written(
        scenarios: Sequence[Scenario], environ: Mapping[str, str], place: Path
    ) -> Iterator[tuple[Scenario, Path]]:
        for number, scenario in enumerate(scenarios):
            path = place / f"{number}.toml"
            done = _gepa(environ, place, "init", "--scenario", scenario.id, "--path", str(path))
            assert done.returncode == 0, done.stderr
            yield scenario, path


def _gepa(
    environ: Mapping[str, str], place: Path, *arguments: str, seconds: float = _SECONDS
) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "-m", "gepa_framework.cli", *arguments], environ, place, seconds)


def _run(
    command: Sequence[str], environ: Mapping[str, str], place: Path, seconds: float = _SECONDS
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the commands of the plugin under test
        command,
        cwd=place,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
