"""The proposer keeps the contract, with a scripted app-server in the place of codex."""

from __future__ import annotations

import os

import pytest

from gepa_codex import plugin as codex
from gepa_codex.config import CodexProposerConfig
from gepa_framework.testing.contracts import ConcurrentProposerContract, FailingProposerContract
from gepa_framework.testing.contracts.info import CANARY
from gepa_framework.testing.samples import sample_request
from gepa_framework.types import BuildContext


class _Codex:
    scenario = "good"

    @pytest.fixture
    def plugin(self):
        return codex

    @pytest.fixture
    def config(self, stub):
        return CodexProposerConfig(**stub.config(self.scenario, attempts=1))

    @pytest.fixture
    def context(self, tmp_path):
        environ = {"OPENAI_API_KEY": CANARY, "PATH": os.environ["PATH"]}
        return BuildContext(run_id="r", run_dir=tmp_path / "run", base_dir=tmp_path, environ=environ)

    @pytest.fixture
    def proposal_request(self):
        return sample_request()


class TestCodex(_Codex, ConcurrentProposerContract):
    pass


class TestCodexThatEdits(_Codex, ConcurrentProposerContract):
    scenario = "edits"


class TestCodexWhoseProviderFails(_Codex, FailingProposerContract):
    scenario = "fails"


class TestCodexThatAnswersNonsense(_Codex, FailingProposerContract):
    scenario = "invalid_always"
