"""Real runs whose record is read: a world in which everything happens that a run may meet."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_framework import GepaRun
from gepa_framework.app.history import History
from gepa_framework.app.reading import read_run
from gepa_framework.workspace.views import VIEWS

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"
PLUGIN = """\
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo
from gf_views_base import {what}
plugin_info = PluginInfo(kind=Kind.{upper}, name="{name}", api=">=1.0,<2")
@hookimpl
def gepa_make_{kind}(config, context):
    return {what}()
"""
CONFIG = """\
[run]
run_id = "{run_id}"
seed = 5
[container]
transport = "views_world"
[dataset]
train_seeds = "0-7"
heldout_seeds = "100-103"
[policy]
provider = "us"
model = "small"
[[prices]]
provider = "us"
model = "small"
prompt_usd_per_million = 10
completion_usd_per_million = 100
[proposer]
backend = "{proposer}"
[cache]
mode = "readwrite"
path = "cache.sqlite"
namespace = "shared"
[selection]
frontier = "{frontier}"
[gepa]
minibatch_size = 3
max_generations = 14
max_total_rollouts = 900
retry_backoff_seconds = 0.001
rollout_failure_rate_tolerance = 0.9
max_consecutive_proposer_failures = 50
component_selector = "round_robin"
objective_keys = ["solved", "effort"]
objective_directions.effort = "minimize"
{gepa}
{more}
"""


@attrs.frozen(eq=False, slots=False)
class Ran:
    """A run that is over, with its record open."""

    directory: Path
    database: Any
    result: Any = None

    def query(self, statement: str, *values: object) -> list[dict[str, Any]]:
        cursor = self.database.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def column(self, statement: str, *values: object) -> list[Any]:
        return [row[0] for row in self.database.execute(statement, values)]

    def value(self, statement: str, *values: object) -> Any:
        (found,) = self.column(statement, *values)
        return found

    @cached_property
    def replayed(self) -> tuple[Any, tuple[Any, ...]]:
        """A machine that has gone through the journal, and the events that it came to."""
        history = History.read(self.directory)
        machine = history.machine()
        with closing(history.journal()) as journal:
            return machine, tuple(history.replay(machine, journal))

    def events(self, *types: str) -> list[Any]:
        return [event for event in self.replayed[1] if event.type in types or not types]


def install(site: Path, kind: str, name: str, what: str) -> None:
    module = f"gf_{name}"
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[gepa_framework.{kind}s]\n{name} = {module}\n")
    (site / f"{module}.py").write_text(PLUGIN.format(upper=kind.upper(), kind=kind, name=name, what=what))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install the world and give the directory that runs are in."""
    root = tmp_path_factory.mktemp("views")
    site = root / "site"
    site.mkdir()
    shutil.copy(Path(__file__).with_name("world.py"), site / "gf_views_base.py")
    install(site, "transport", "views_world", "World")
    install(site, "proposer", "views_improve", "Improve")
    install(site, "proposer", "views_steady", "Steady")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DISTRIBUTIONS)
        patch.syspath_prepend(site)
        patch.setattr(sys, "dont_write_bytecode", True)
        importlib.invalidate_caches()
        yield root
    for name in [name for name in sys.modules if name.startswith("gf_views_")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def ran(world: Path) -> Iterator[Callable[..., Ran]]:
    """Give what runs a configuration once, and opens its record."""
    opened: list[Ran] = []

    @cache
    def run(
        run_id: str,
        *,
        frontier: str = "instance",
        proposer: str = "views_improve",
        gepa: str = "",
        more: str = "",
        extend: str = "",
    ) -> Ran:
        path = world / f"{run_id}.toml"
        path.write_text(
            CONFIG.format(run_id=run_id, frontier=frontier, proposer=proposer, gepa=gepa, more=more)
        )
        result = GepaRun.from_toml(path, environ={}).execute()
        directory = world / "runs" / run_id
        if extend:
            result = GepaRun.resume(directory, extend=(extend,)).execute()
        opened.append(Ran(directory, read_run(directory), result))
        return opened[-1]

    yield run
    for each in opened:
        each.database.close()


@pytest.fixture(scope="session")
def plain(ran: Callable[..., Ran]) -> Ran:
    """One proposal for an iteration, with an empty cache."""
    return ran("plain")


@pytest.fixture(scope="session")
def again(plain: Ran, ran: Callable[..., Ran]) -> Ran:
    """The plain run once more, out of the cache."""
    return ran("again")


@pytest.fixture(scope="session")
def views() -> Mapping[str, str]:
    return VIEWS


@pytest.fixture
def copied(plain: Ran, tmp_path: Path) -> Path:
    """Give a copy of a run's directory."""
    shutil.copytree(plain.directory, tmp_path / "copied")
    return tmp_path / "copied"
