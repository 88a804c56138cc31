from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from gepa_cookbook_banking77 import artifact, scenario
from gepa_cookbook_banking77.cards import seed_cards
from gepa_cookbook_banking77.data import DATA_ENV, Dataset
from gepa_cookbook_banking77.rollouts import COMPONENT
from gepa_framework.testing.contracts import ScenarioContract
from gepa_framework.types import compact_json

ROOT = Path(__file__).parents[1]


class TestBanking77Scenarios(ScenarioContract):
    @pytest.fixture
    def plugin(self) -> object:
        return scenario

    @pytest.fixture
    def environ(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        monkeypatch.delenv(DATA_ENV, raising=False)
        return dict(os.environ)


@pytest.mark.parametrize(
    ("chosen", "file"), [(scenario.SAMPLE, "gepa.toml"), (scenario.FULL, "gepa-full.toml")]
)
def test_a_scenario_says_what_the_file_of_this_directory_says(chosen, file) -> None:
    written = tomllib.loads((ROOT / file).read_text(encoding="utf-8"))
    assert tuple(written["container"].pop("command")) == chosen.command
    budgets = {key: written["gepa"].pop(key) for key in chosen.budgets}
    assert budgets == chosen.budgets
    assert json.loads(compact_json(chosen.config)) == written


@pytest.fixture
def candidate(tmp_path: Path):
    def write(components: object) -> str:
        path = tmp_path / "best_candidate.json"
        path.write_text(json.dumps({"components": components}), encoding="utf-8")
        return str(path)

    return write


def test_the_score_of_the_seed_is_the_share_that_it_answers(
    candidate, sample: Dataset, capsys, monkeypatch
) -> None:
    monkeypatch.delenv(DATA_ENV, raising=False)
    path = candidate({COMPONENT: seed_cards(sample.labels)})
    assert artifact.main(["validate", path]) == 0
    assert artifact.main(["score", path]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0.1 < last["accuracy"] < 0.4


@pytest.mark.parametrize("components", [{}, {COMPONENT: 3}, {COMPONENT: "- weather: rain"}, []])
def test_what_is_no_candidate_is_refused_in_words(candidate, capsys, monkeypatch, components) -> None:
    monkeypatch.delenv(DATA_ENV, raising=False)
    assert artifact.main(["validate", candidate(components)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
