from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_cookbook_banking77 import __version__
from gepa_cookbook_banking77.data import Dataset, load_dataset
from gepa_cookbook_banking77.proposer import LexicalReflectorConfig
from gepa_cookbook_banking77.rollouts import COMPONENT
from gepa_cookbook_banking77.tasks import Taskset

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def config(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text())


def seeds(text: str) -> range:
    first, last = map(int, text.split("-"))
    return range(first, last + 1)


def test_the_entry_points_lead_somewhere() -> None:
    (target,) = PROJECT["entry-points"]["gepa_framework.proposers"].values()
    plugin = import_module(target)
    assert PROJECT["entry-points"]["gepa_framework.proposers"] == {plugin.plugin_info.name: target}
    (target,) = PROJECT["entry-points"]["gepa_framework.extras"].values()
    plugin = import_module(target)
    assert PROJECT["entry-points"]["gepa_framework.extras"] == {plugin.plugin_info.name: target}
    module, _, function = PROJECT["scripts"]["gepa-banking77"].partition(":")
    assert callable(getattr(import_module(module), function))


def test_the_versions_agree() -> None:
    assert PROJECT["version"] == __version__


@pytest.mark.parametrize("name", ["gepa.toml", "gepa-full.toml"])
def test_a_config_asks_for_what_is_there(name: str) -> None:
    document = config(name)
    assert document["candidate"]["target_modules"] == [COMPONENT]
    assert document["proposer"]["backend"] == "lexical_reflector"
    assert "{port}" in document["container"]["command"]
    assert import_module(document["container"]["command"][2]).main


@pytest.mark.parametrize("name", ["gepa.toml", "gepa-full.toml"])
def test_the_pools_of_a_config_are_apart(name: str) -> None:
    document = config(name)
    rows, pools = document["dataset"], document["gepa"]["task_pools"]
    pareto, minibatch = set(seeds(pools["pareto"])), set(seeds(pools["minibatch"]))
    assert not pareto & minibatch
    assert pareto | minibatch == set(seeds(rows["train_seeds"]))
    assert not set(seeds(rows["heldout_seeds"])) & set(seeds(rows["train_seeds"]))


def rows_of(name: str, dataset: Dataset) -> tuple[int, int]:
    table, taskset = config(name)["dataset"], Taskset(dataset)
    counts = [
        len(taskset.select(table[f"{kind}_split"], map(str, seeds(table[f"{kind}_seeds"]))))
        for kind in ("train", "heldout")
    ]
    return counts[0], counts[1]


def test_the_sample_holds_the_rows_of_its_config(sample: Dataset) -> None:
    assert rows_of("gepa.toml", sample) == (224, 112)


def test_the_real_data_holds_the_rows_of_its_config(real_dir: Path) -> None:
    assert rows_of("gepa-full.toml", load_dataset(real_dir)) == (8000, 500)


def test_the_readme_lists_every_key_of_the_proposer_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text()
    for field in attrs.fields(LexicalReflectorConfig):
        assert f"| `{field.name}` | {field.default} |" in readme
