from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gepa_cookbook_banking77 import proposer as lexical_reflector
from gepa_framework.testing.contracts import (
    ConcurrentProposerContract,
    DeterministicProposerContract,
    FailingProposerContract,
)
from gepa_framework.testing.samples import sample_request
from gepa_framework.types import EvidenceFrame, ProposalRequest

TEXT = "- lost_card: lost card\n- forgotten_pin: forgotten pin"


class TestLexicalReflector(ConcurrentProposerContract, DeterministicProposerContract):
    @pytest.fixture
    def plugin(self) -> object:
        return lexical_reflector

    @pytest.fixture
    def proposal_request(
        self, request_for: Callable[..., Any], frame_of: Callable[..., EvidenceFrame]
    ) -> ProposalRequest:
        missed = frame_of("somebody stole my purse on the train", "forgotten_pin", "lost_card", "train:0")
        return request_for(TEXT, [missed])


class TestLexicalReflectorWithoutQueries(FailingProposerContract):
    @pytest.fixture
    def plugin(self) -> object:
        return lexical_reflector

    @pytest.fixture
    def proposal_request(self) -> ProposalRequest:
        return sample_request(evidence=())
