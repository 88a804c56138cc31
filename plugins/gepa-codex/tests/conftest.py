from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gepa_codex.config import CodexProposerConfig
from gepa_codex.plugin import gepa_make_proposer
from gepa_codex.process import descendants
from gepa_framework.errors import ProposerError
from gepa_framework.types import (
    BuildContext,
    Candidate,
    ComponentSpec,
    EvidenceFrame,
    Program,
    Proposal,
    ProposalRequest,
    Proposer,
)

HERE = Path(__file__).parent
CANARY = "canary-8f3b1d-do-not-show"


def load(name: str) -> Any:
    """Import a helper that lies beside the tests; they are no package."""
    spec = importlib.util.spec_from_file_location(f"gepa_codex_tests_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def canary() -> str:
    return CANARY


@pytest.fixture(scope="session")
def fake_responses() -> Any:
    return load("fake_responses").FakeResponses


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Run a coroutine to its end, within a bound."""

    def run_(coroutine: Coroutine[Any, Any, Any]) -> Any:
        async def bounded() -> Any:
            async with asyncio.timeout(45):
                return await coroutine

        return asyncio.run(bounded())

    return run_


@pytest.fixture
def request_() -> Callable[..., ProposalRequest]:
    """Make a request; the keywords replace its fields."""

    def make(**changes: Any) -> ProposalRequest:
        specs = (ComponentSpec("system", objective="be right"),)
        texts = {"system": "Answer {query}.\n", "style": "Be brief."}
        parts: dict[str, Any] = {
            "proposal_id": "proposal-1",
            "iteration": 1,
            "parent": Candidate.of(texts),
            "components": ("system", "style"),
            "evidence": (EvidenceFrame("row-1", {"query": "q"}, 0.0, "wrong", {"expected": "right"}),),
            "rejected": (),
            "program": Program("p", "t", specs, ("system",), texts),
        }
        return ProposalRequest(**{**parts, **changes})

    return make


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    run_dir = tmp_path / "run"
    return BuildContext(
        run_id="run-1",
        run_dir=run_dir,
        base_dir=tmp_path,
        environ={"OPENAI_API_KEY": CANARY, "PATH": os.environ["PATH"], "SECRET_OF_USER": "user-secret"},
        logger=logging.getLogger("gepa_codex.tests"),
    )


Use = Callable[..., Any]


@pytest.fixture
def proposing(context: BuildContext) -> Use:
    """Give ``async with proposing(**config) as proposer``."""

    @asynccontextmanager
    async def proposing_(**config: Any) -> AsyncIterator[Proposer]:
        proposer = gepa_make_proposer(CodexProposerConfig(**config), context)
        try:
            yield proposer
        finally:
            await proposer.close()

    return proposing_


class Stub:
    """A scripted codex: how to call it, and what it was asked."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def config(self, scenario: str, **more: Any) -> dict[str, Any]:
        command = (sys.executable, str(HERE / "fake_codex.py"), scenario, str(self.directory), "app-server")
        return {"command": command, **more}

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.directory / "log.jsonl").read_text().splitlines()]

    def asked(self, method: str) -> list[dict[str, Any]]:
        return [message["params"] for message in self.log() if message.get("method") == method]

    def environ(self) -> dict[str, str]:
        return dict(json.loads((self.directory / "env.json").read_text()))

    def pids(self) -> list[int]:
        return [int(path.read_text()) for path in sorted(self.directory.glob("start-*"))]


@pytest.fixture
def stub(tmp_path: Path) -> Stub:
    directory = tmp_path / "stub"
    directory.mkdir()
    return Stub(directory)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait, within a bound, until a condition outside of this process holds."""

    async def eventually_(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - nothing in this process tells
                await asyncio.sleep(0.005)

    return eventually_


@pytest.fixture
def app_servers() -> Callable[[], list[int]]:
    """List the app-servers below this process; other tests may have left processes of their own."""

    def is_server(pid: int) -> bool:
        try:
            return b"app-server" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False

    return lambda: [pid for pid in descendants(os.getpid()) if is_server(pid)]


@pytest.fixture
def propose(run, proposing, stub, request_):
    """Make one proposal with a scenario; gives the proposal, or the error that it ended in."""

    def propose_(scenario: str, **config) -> Proposal | ProposerError:
        async def one():
            async with proposing(**stub.config(scenario, **config)) as proposer:
                try:
                    return await proposer.propose(request_())
                except ProposerError as error:
                    return error

        return run(one())

    return propose_
