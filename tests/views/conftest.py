"""Real runs whose record is read: a world in which everything happens that a run may meet."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

from gepa_framework import GepaRun
from gepa_framework.app.history import History
from gepa_framework.app.reading import read_run
from gepa_framework.workspace import VIEWS

DISTRIBUTIONS = Path(__file__).parents[1] / "distributions"
WORLD = """\
import hashlib
from gepa_framework.errors import ProposerError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import *

def lot(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()[0] / 256

class World:
    def __init__(self):
        self.seen = set()

    async def describe(self):
        return ContainerInfo("parts", "fake/taskset")

    async def program(self):
        parts = (ComponentSpec("even"), ComponentSpec("odd"))
        return Program("parts", "parts", parts, ("even", "odd"), {"even": "s\\u00e9ed \\ud800 0", "odd": "0"})

    async def rows(self, request):
        return [TaskRow(f"{request.split}/{seed}", request.split, {"seed": seed}, seed) for seed in request.seeds]

    async def rollout(self, request):
        key = (request.candidate.id, request.row.id, request.stage)
        chance, first = lot(*key), key not in self.seen
        self.seen.add(key)
        if first and chance < 0.2:
            return RolloutFailure(
                FailureKind.TIMEOUT, "slow", "took too long", retryable=True, http_status=504, usage=Usage(10, 1, 11)
            )
        if chance > 0.93 and request.stage != "heldout":
            return RolloutFailure(FailureKind.CONTAINER, "unlucky", "the lot fell on it", usage=Usage(5, 0, 5))
        part = "odd" if request.row.seed % 2 else "even"
        level = int(request.candidate.components[part].split()[-1])
        objectives = {"solved": level / 10, "effort": 1 + level % 3 + request.row.seed / 100}
        if request.row.seed % 3 == 0:
            del objectives["effort"]
        return RolloutResult(
            reward=level / 10 + (request.row.seed % 2) / 20,
            objectives=objectives,
            metrics={"level": level},
            output={"level": level} if level % 2 else f"level {level}",
            feedback={"short": level < 5, "by": 5 - level, "why": ["a", "b"]},
            usage=Usage(100 + level, 10, 110 + level, model="small"),
            trace_digest="ab" * 32,
            rationales={"solved": f"level {level}", "reward": "half of it", "style": "neat"},
            side_info={"hint": "raise it"},
        )

    async def close(self): ...

class Improve:
    async def propose(self, request):
        name = request.components[0]
        now = request.parent.components[name]
        usage = Usage(1000, 100, 1100, 0.001)
        chance = lot(request.seed)
        if request.repair is None and chance < 0.2:
            return Proposal({"nobody": "x"}, usage=usage, model="writer")
        if chance > 0.95:
            raise ProposerError("out of ideas")
        if chance > 0.9:
            return Proposal({}, usage=usage, model="writer")
        level = int(now.split()[-1]) + (1 if chance < 0.8 else -1)
        text = f"{now.rsplit(' ', 1)[0]} {level}" if " " in now else str(level)
        return Proposal({name: text}, rationale=f"go to {level}", usage=usage, model="writer", requested_model="writer")

    async def close(self): ...
"""
PLUGIN = """\
from gf_views_base import *
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
backend = "views_improve"
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
SEVERAL = "proposals_per_generation = 2\nparents_per_generation = 2"
MERGING = '[merge]\nevery = 2\nmax = 3\nrows = 4\n[acceptance]\nrule = "improvement_or_equal"'


@attrs.frozen(eq=False)
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

    def events(self, *types: str) -> list[Any]:
        history = History.read(self.directory)
        with closing(history.journal()) as journal:
            return [each for each in history.replay(history.machine(), journal) if each.type in types]

    def machine(self) -> Any:
        history = History.read(self.directory)
        machine = history.machine()
        with closing(history.journal()) as journal:
            for _ in history.replay(machine, journal):
                pass
        return machine


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
    (site / "gf_views_base.py").write_text(WORLD)
    install(site, "transport", "views_world", "World")
    install(site, "proposer", "views_improve", "Improve")
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
    def run(run_id: str, frontier: str = "instance", gepa: str = "", more: str = "", extend: str = "") -> Ran:
        path = world / f"{run_id}.toml"
        path.write_text(CONFIG.format(run_id=run_id, frontier=frontier, gepa=gepa, more=more))
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
def rich(ran: Callable[..., Ran]) -> Ran:
    """Several parents and proposals for an iteration, merges, and limits that were raised at the end."""
    return ran("rich", gepa=SEVERAL, more=MERGING, extend="gepa.max_generations=18")


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
