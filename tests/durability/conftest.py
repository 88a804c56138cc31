from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gepa_framework import GepaRun

_MEMORY = Path("/dev/shm")


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """Give a directory in memory where there is one: thousands of databases are opened in it."""
    if not os.access(_MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=_MEMORY) as directory:
        yield Path(directory)


CONFIG = """
[run]
run_id = "whole"
seed = 3
[container]
transport = "fake"
[dataset]
train_seeds = "0-4"
heldout_seeds = "100-101"
[proposer]
backend = "fake"
[cache]
mode = "off"
[gepa]
minibatch_size = 2
max_generations = 3
max_total_rollouts = 60
"""


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer the fake transport and the fake proposer."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "distributions")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.fixture
def run_dir(quick: Path, fakes: None) -> Path:
    """Give the directory of a run that is finished."""
    config = quick / "gepa.toml"
    config.write_text(CONFIG)
    return GepaRun.from_toml(config, environ={}).execute().run_dir
