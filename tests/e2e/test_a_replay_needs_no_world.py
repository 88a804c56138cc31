"""Fresh, cached and read-only runs of one configuration: one feed, and the last ones need no world."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from gepa_framework import GepaRun
from gepa_framework.errors import CacheMissError

_STUB = Path(__file__).parents[2] / "plugins" / "gepa-codex" / "tests" / "fake_codex.py"
_CONFIG = """
[run]
seed = 11
output_dir = "{run_id}-runs"
run_id = "{run_id}"
[container]
command = {command}
[dataset]
train_seeds = "0-19"
heldout_seeds = "20000-20009"
[policy]
provider = "lexical"
[proposer]
{proposer}
[gepa]
minibatch_size = 6
max_total_rollouts = 300
max_generations = {generations}
[gepa.pipeline.workers]
rollout = {workers}
[cache]
mode = "{mode}"
namespace = "banking"
path = "cache.sqlite"
"""
_CONTAINER = '["{python}", "-m", "gepa_cookbook_banking77.container", "--port", "{port}"]'
_LEXICAL = 'backend = "lexical_reflector"'
_CODEX = 'backend = "codex_app_server"\nmodel = "gepa-fake"\ncodex_bin = "codex"'


@attrs.frozen
class Bench:
    """A directory whose runs share a cache."""

    path: Path

    def run(
        self,
        run_id: str,
        mode: str,
        *,
        container: str = _CONTAINER,
        proposer: str = _LEXICAL,
        generations: int = 4,
        workers: int = 4,
        sets: tuple[str, ...] = (),
    ) -> Path:
        config = self.path / f"{run_id}.toml"
        text = _CONFIG.format(
            run_id=run_id,
            command=container,
            proposer=proposer,
            generations=generations,
            mode=mode,
            workers=workers,
        )
        config.write_text(text)
        return GepaRun.from_toml(config, sets=sets, environ={}).execute().run_dir


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever starts a process or opens a connection fail."""

    def refuse(*args: object, **_: object) -> None:
        raise AssertionError(f"nothing may be started or asked: {args}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


def normalised(run_dir: Path) -> str:
    return (run_dir / "events.normalized.jsonl").read_text()


def profile(run_dir: Path) -> dict[str, int]:
    totals: dict[str, int] = json.loads((run_dir / "cache_profile.json").read_text())["totals"]
    return totals


def test_fresh_cached_and_readonly_are_one_run_and_two_of_them_need_no_container(
    bench: Bench, request: pytest.FixtureRequest
) -> None:
    fresh = bench.run("fresh", "readwrite")
    assert (fresh / "container.log").exists()
    assert profile(fresh)["miss"] == profile(fresh)["write"] > 40

    gone = '["/no/such/container", "{port}"]'
    request.getfixturevalue("no_world")
    cached = bench.run("cached", "readwrite", container=gone, workers=1)
    kept = (bench.path / "cache.sqlite").read_bytes()
    readonly = bench.run("readonly", "readonly", container=gone, workers=16)

    assert normalised(fresh) == normalised(cached) == normalised(readonly)
    assert "candidate.accepted" in normalised(fresh)
    for run_dir in (cached, readonly):
        assert profile(run_dir)["miss"] == profile(run_dir)["write"] == 0
        assert profile(run_dir)["hit"] == profile(fresh)["hit"] + profile(fresh)["miss"]
        assert not (run_dir / "container.log").exists()
    assert (bench.path / "cache.sqlite").read_bytes() == kept


def kept_by(path: Path) -> list[tuple[str, str]]:
    """Give the places of all answers in a cache, and what was noted of each request."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT namespace, key, value FROM entries ORDER BY 1, 2").fetchall()
    connection.close()
    return [
        (f"{namespace} {key}", json.dumps(json.loads(value)["request"])) for namespace, key, value in rows
    ]


def test_what_is_asked_depends_on_neither_run_nor_path_nor_port_nor_time_nor_order(tmp_path: Path) -> None:
    places = []
    for name, workers in (("one", 1), ("elsewhere", 16)):
        directory = tmp_path / name
        directory.mkdir()
        Bench(directory).run(name, "readwrite", generations=2, workers=workers)
        places.append(kept_by(directory / "cache.sqlite"))
    assert len(places[0]) > 40
    assert places[0] == places[1]


def test_what_a_miss_would_have_needed_is_told_by_the_request_that_comes_nearest(
    bench: Bench, request: pytest.FixtureRequest
) -> None:
    bench.run("fresh", "readwrite", generations=1)
    request.getfixturevalue("no_world")
    with pytest.raises(CacheMissError) as caught:
        bench.run("other", "readonly", generations=1, sets=("policy.temperature=0.5",))
    assert "the cache has no container.rollout " in caught.value.message
    assert "differs in policy.temperature: 0.5 is asked, nothing is known" in caught.value.message


def test_an_executable_of_the_proposer_that_is_gone_is_not_missed(
    bench: Bench, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    codex = bench.path / "bin" / "codex"
    log = bench.path / "log"
    for directory in (codex.parent, log):
        directory.mkdir()
    codex.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_STUB}" good "{log}" "$@"\n')
    codex.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-canary-4711")
        patch.setenv("PATH", f"{codex.parent}:/usr/bin:/bin")
        fresh = bench.run("fresh", "readwrite", proposer=_CODEX, generations=2)
    assert list(log.glob("start-*"))

    codex.unlink()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    request.getfixturevalue("no_world")
    readonly = bench.run("readonly", "readonly", container='["/no/such"]', proposer=_CODEX, generations=2)
    assert normalised(fresh) == normalised(readonly)
    assert profile(readonly)["miss"] == 0
