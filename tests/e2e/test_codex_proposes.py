"""A whole run whose proposer is the real codex app-server, with a fake model provider behind it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gepa_framework import GepaRun

_FAKE = Path(__file__).parents[2] / "plugins" / "gepa-codex" / "tests" / "fake_responses.py"
_KEY = "sk-canary-4242424242424242"
_BETTER = " ".join("4" for _ in range(12))
_CONFIG = """
[run]
run_id = "codex"
[container]
transport = "fake"
[dataset]
train_seeds = "0-9"
heldout_seeds = "100-104"
[proposer]
backend = "codex_app_server"
base_url = "{url}"
api_key_env = "E2E_MODEL_KEY"
model = "gepa-fake"
[gepa]
minibatch_size = 4
max_generations = 2
max_total_rollouts = 200
"""


def _fake_responses() -> Any:
    spec = importlib.util.spec_from_file_location("fake_responses", _FAKE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FakeResponses


@pytest.fixture
def provider() -> Iterator[Any]:
    answer = {"rationale": "practise everything", "candidate": {"skills": _BETTER}, "edits": []}
    fake = _fake_responses()({"json": answer})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(fake.start(), loop).result(10)
    yield fake
    asyncio.run_coroutine_threadsafe(fake.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.mark.codex_real
@pytest.mark.timeout(120)
def test_a_run_with_the_real_codex_adopts_what_the_model_proposes(
    tmp_path: Path, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("codex_cli_bin", reason="openai-codex-cli-bin is not installed")
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "distributions")
    monkeypatch.setenv("E2E_MODEL_KEY", _KEY)
    (tmp_path / "gepa.toml").write_text(_CONFIG.format(url=provider.url))

    result = GepaRun.from_toml(tmp_path / "gepa.toml").execute()

    assert result.best_candidate == {"skills": _BETTER}
    assert (result.best_score, result.heldout["best"].score) == (1.0, 1.0)
    assert result.usage.prompt_tokens is not None
    assert result.usage.prompt_tokens > 0
    assert result.cost_usd is None, "codex reports no price, and unknown is not zero"
    prompt = json.dumps(provider.requests[0])
    assert "short_by" in prompt, "the evidence reaches the model"
    assert "test:" not in prompt, "no heldout row does"
    kept = b"".join(path.read_bytes() for path in result.run_dir.rglob("*") if path.is_file())
    assert _KEY.encode() not in kept


@pytest.mark.codex_real
@pytest.mark.timeout(120)
def test_edits_of_the_real_codex_are_refused_with_reasons_and_made_when_they_fit(
    tmp_path: Path, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("codex_cli_bin", reason="openai-codex-cli-bin is not installed")
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "distributions")
    monkeypatch.setenv("E2E_MODEL_KEY", _KEY)
    (tmp_path / "gepa.toml").write_text(_CONFIG.format(url=provider.url))
    zeros = " ".join("0" for _ in range(12))
    for search in ("0 0", zeros):
        edit = {"component": "skills", "search": search, "replace": _BETTER}
        answer = {"rationale": "r", "candidate": {"skills": None}, "edits": [edit]}
        provider.queue.append({"json": answer, "model": "gepa-fake"})

    result = GepaRun.from_toml(tmp_path / "gepa.toml").execute()

    assert result.best_candidate == {"skills": _BETTER}
    told = [json.loads(line) for line in (result.run_dir / "events.jsonl").read_text().splitlines()]
    (refused,) = [body for body in told if body["type"] == "proposal.refused"]
    assert "'0 0' occurs 11 times" in refused["reasons"][0]
    assert (refused["requested_model"], refused["model"]) == ("gepa-fake", "gepa-fake")
    assert "'0 0' occurs 11 times" in json.dumps(provider.requests[1]), "the model is told why"
