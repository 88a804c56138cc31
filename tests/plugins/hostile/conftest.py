"""Distributions that are bad, each in one way, beside good ones; and a run of the good ones."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result
from tests.plugins.hostile.hostile_cases import AT_DOOR, MANNERS, kind_of

from gepa_framework.cli.main import gepa
from gepa_framework.types import Kind

SOURCES = Path(__file__).parent / "distributions"
_GOOD = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.testing.fakes import FakeProposer, FakeTransport
from gepa_framework.types import Kind, PluginInfo

plugin_info = PluginInfo(Kind.{kind}, "good", ">=1.0,<2")


@hookimpl
def gepa_make_{hook}():
    return Fake{made}()
"""
CONFIG = """
[run]
run_id = "{run_id}"
seed = 7

[container]
transport = "{transport}"

[dataset]
train_seeds = "0-9"
heldout_seeds = "100-104"

[proposer]
backend = "{proposer}"

[gepa]
max_total_rollouts = 120
max_generations = 3
minibatch_size = 2
call_timeout_seconds = 30
retry_backoff_seconds = 0
max_consecutive_proposer_failures = 2

[cache]
mode = "{mode}"
backend = "{cache}"
"""


@attrs.frozen
class Yard:
    """A directory on ``sys.path`` for distributions, a working directory, and the command line."""

    site: object
    work: Path

    def offer(
        self, slug: str, *, name: str = "", dist: str = "", target: str = "", requires: Sequence[str] = ()
    ) -> None:
        """Install the bad distribution of that name."""
        dist, name = dist or f"gf-{slug.replace('_', '-')}", name or slug
        module = dist.replace("-", "_")
        source = (SOURCES / f"{slug}.py").read_text(encoding="utf-8")
        points = {f"{kind_of(slug)}s": {name: target or module}}
        self.site.install(dist, points, {module: source}, requires=tuple(requires))

    def offer_all(self) -> list[str]:
        """Install all that show what they are before a run begins."""
        for slug in AT_DOOR:
            self.offer(slug, **MANNERS.get(slug, {}))
        return AT_DOOR

    def gepa(self, *args: str) -> Result:
        """Run the command line in this process."""
        return CliRunner().invoke(gepa, args, prog_name="gepa")

    def config(self, *tables: str, mode: str = "off", cache: str = "memory", **chosen: str) -> None:
        """Write a configuration that selects good plugins, unless others are chosen."""
        given = {
            "run_id": "r",
            "transport": "good",
            "proposer": "good",
            "cache": cache,
            "mode": mode,
            **chosen,
        }
        text = "\n".join([CONFIG.format(**given), *tables])
        (self.work / "gepa.toml").write_text(text, encoding="utf-8")

    def failure(self, *args: str) -> tuple[int, dict[str, object]]:
        """Run a command that fails; give its exit code and what it says of the error."""
        done = self.gepa(*args, "--json")
        said = json.loads(done.stdout.splitlines()[-1])
        assert "error" in said, said
        return done.exit_code, said["error"]


@pytest.fixture
def yard(site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for kind in (Kind.TRANSPORT, Kind.PROPOSER):
        text = _GOOD.format(kind=kind.name, hook=kind, made=kind.capitalize())
        site.offer(text, kind=kind, name="good", dist=f"gf-good-{kind}")
    yard = Yard(site, work)
    yard.config()
    handlers = logging.getLogger().handlers[:]
    yield yard
    logging.getLogger().handlers[:] = handlers
