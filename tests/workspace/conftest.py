from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gepa_framework.types import Candidate, FailureKind, RolloutFailure, RolloutResult, Usage
from gepa_framework.types.events import (
    CandidateAccepted,
    CandidateEvaluated,
    CandidateRegistered,
    CandidateRejected,
    FrontierUpdated,
    HeldoutCompleted,
    RolloutCompleted,
    RolloutFailed,
)
from gepa_framework.workspace import START, Journal, Record, encode_outcome

SEED = Candidate.of({"prompt": "sé\ud800ed"})
FAILURE = RolloutFailure(
    FailureKind.TIMEOUT, "slow", "took 3 s", retryable=True, http_status=504, usage=Usage(1, 2, 3, 0.25)
)


def registered(candidate: Candidate = SEED) -> CandidateRegistered:
    return CandidateRegistered(candidate.id, (), 0, "seed", candidate.components, (), "")


def completed(row: str = "train:0", reward: float = 0.5) -> RolloutCompleted:
    return RolloutCompleted(SEED.id, row, "seed_full_train", 0, reward, {"brevity": 1.0}, 0.125, 7)


def outcome(row: str = "train:0", reward: float = 0.5, superseded: tuple[RolloutFailure, ...] = ()) -> Record:
    result = RolloutResult(reward, usage=Usage(3, 4, 7, 0.125))
    encoded = encode_outcome(result, f"rollout/0/seed_full_train/{SEED.id}/{row}")
    return Record(encoded, 1_500_000, (completed(row, reward),), "ab" * 32, superseded)


def start() -> Record:
    return Record(START, 0, (registered(),))


def decided() -> Record:
    """Give a record with one event of every sort that has a view of its own."""
    failed = RolloutFailed(SEED.id, "train:1", "candidate_minibatch", 2, "timeout", "slow", "took 3 s")
    accepted = CandidateAccepted("c1", SEED.id, 2, "strict_improvement", 1.0, 2.0, 1.0, 3)
    rejected = CandidateRejected("c2", SEED.id, 3, "strict_improvement", "no better", 2.0, 1.0, -1.0, 3)
    evaluated = CandidateEvaluated("c1", 2, 0.75, 3, 4, 0.25)
    frontier = FrontierUpdated("c1", 2, ("train:0",), ("train:1",), ("c1", SEED.id), "c1", 0.75, 0.25)
    heldout = HeldoutCompleted("c1", "best", 0.5, 0.1, 3, 4)
    encoded = encode_outcome(FAILURE, "rollout/2/x")
    return Record(encoded, 2_000_000, (failed, accepted, rejected, evaluated, frontier, heldout), "cd" * 32)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    return SimpleNamespace(
        SEED=SEED,
        FAILURE=FAILURE,
        completed=completed,
        decided=decided,
        outcome=outcome,
        registered=registered,
        start=start,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspace.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal.create(path, {"run_id": "r1", "config_text": "[run]"})
    yield journal
    journal.close()
