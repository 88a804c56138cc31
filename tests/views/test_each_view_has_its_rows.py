"""A journal written by hand, in which everything happens once, and the rows of every view of it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from gepa_framework.builtin.sqlite_store import SqliteStore
from gepa_framework.engine import Abandoned, Cancel, ProposalFailure
from gepa_framework.types import (
    ContainerInfo,
    FailureKind,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    Usage,
)
from gepa_framework.types.events import (
    CandidateAccepted,
    CandidateEvaluated,
    CandidateRegistered,
    CandidateRejected,
    ContractVerified,
    DeploymentDecided,
    FrontierUpdated,
    HeldoutCompleted,
    HeldoutStarted,
    HeldoutVerdict,
    IterationSkipped,
    IterationStarted,
    MergeProposed,
    ProgramLoaded,
    ProposalLeakWarned,
    ProposalOvertaken,
    ProposalRefused,
    ProposerCompleted,
    ProposerFailed,
    ProposerStarted,
    RolloutCompleted,
    RolloutFailed,
    RowsLoaded,
    RunCancelled,
    RunExtended,
    RunFinished,
    RunStarted,
    StopDecided,
    WorkAbandoned,
)
from gepa_framework.workspace import (
    START,
    Journal,
    Record,
    blob_digest,
    encode_control,
    encode_outcome,
    readable,
)
from gepa_framework.workspace.views import VIEWS

#: The rows of each view, without those of its columns that are null throughout.
ROWS = json.loads(Path(__file__).with_name("rows.json").read_text())
META = {
    "run_id": "r1",
    "cache_mode": "readwrite",
    "cache_namespace": "shared",
    "frontier": "instance",
    "objectives": '{"effort":"minimize"}',
    "plugins_lock": '{"plugins":[{"kind":"transport","name":"http"},{"kind":"proposer","name":"fake"}]}',
    "prices": '{"models":[["us","small",10.0,100.0]],"proposer":["us",""],"rollout":["us","small"]}',
}
LIMITS = {"train_rollouts": 100, "iterations": 3, "cost_usd": 5.0}
REQUEST = json.dumps(
    {
        "evidence": [
            {"row_id": "a", "reward": 0.5, "output": "four", "failure": None, "kind": "win", "count": 2},
            {
                "row_id": "b/1",
                "reward": None,
                "failure": {"code": "slow", "message": "too long"},
                "cut": ["x"],
            },
        ]
    }
)
SPENT = Usage(100, 10, 110)
SLOW = RolloutFailure(FailureKind.TIMEOUT, "slow", "too long", http_status=504, usage=Usage(1, 2, 3, 0.25))


class Script:
    """Writes a journal an input at a time, a second apart."""

    def __init__(self, path):
        self.store = SqliteStore(path)
        self.journal = Journal.create(self.store, META)
        self.at = 0

    def __call__(self, given, *events, effect=None, superseded=(), blobs=None, access=None):
        encoded = given if given is START else self.encoded(given, effect)
        self.at += 1_000_000
        digest = "d1" if effect else None
        kept = {"access": access, "blobs": blobs or {}}
        self.journal.commit([Record(encoded, self.at, events, digest, superseded, **kept)])

    @staticmethod
    def encoded(given, effect):
        return encode_outcome(given, effect) if effect else encode_control(given)

    def rollout(self, stage, iteration, candidate, row, reward, *events, failed=False, **options):
        split = "test" if stage == "heldout" else "tr/ain"
        objectives = {"effort": 2.0} if row == "a" else {}
        outcome = (
            SLOW
            if failed
            else RolloutResult(
                reward,
                objectives,
                {"chars": 4},
                "four",
                {"good": True},
                SPENT,
                "ab",
                "done",
                {"effort": "twice", "reward": "half", "style": "neat"},
                {"hint": "longer"},
            )
        )
        about = (candidate, row, stage, iteration)
        told = (
            RolloutFailed(*about, "timeout", "slow", "too long")
            if failed
            else RolloutCompleted(*about, reward, objectives, 0.002, 110)
        )
        effect = f"rollout/{iteration}/{stage}/{candidate}/{split}/{row}"
        self(outcome, told, *events, effect=effect, **options)


def set_up(script):
    script(START, RunStarted(7, "c0", LIMITS))
    script(ContainerInfo("parts", "v2"), ContractVerified("parts", "v2", "c1"), effect="container/metadata")
    program = Program("p", "t", (), (), {})
    loaded = ProgramLoaded("p", "t", ("even", "odd"), ("odd",), "c2")
    script(program, loaded, effect="container/program", access="miss")
    script(
        (), RowsLoaded("train", "tr/ain", ("a", "b/1"), "c3"), effect="container/rows/train", access="write"
    )
    seed = CandidateRegistered("s", (), 0, "seed", {"even": "e", "odd": "o"}, (), "")
    script((), RowsLoaded("heldout", "test", ("h",), "c4"), seed, effect="container/rows/heldout")
    script.rollout("seed_full_train", 0, "s", "a", 0.5, access="write")
    joined = FrontierUpdated("s", 0, ("a", "b/1"), (), ("s",), "s", 0.25, 0.25)
    evaluated = CandidateEvaluated("s", 0, 0.25, 2, 2, 0.25)
    script.rollout("seed_full_train", 0, "s", "b/1", 0.0, evaluated, joined, superseded=(SLOW,))


def iterate(script):
    """One iteration with two proposals, of which one is refused, overtaken, and then does not come."""
    script(Abandoned(()), IterationStarted(1, "s", "pareto", ("a", "b/1")))
    script.rollout("parent_minibatch", 1, "s", "a", 0.5, access="hit")
    digest = blob_digest(REQUEST)
    asked = ProposerStarted(1, "s", ("odd",), 2, digest, {"win": 1, "failure": 1})
    script.rollout(
        "parent_minibatch", 1, "s", "b/1", None, asked, asked, failed=True, blobs={digest: REQUEST}
    )
    script(Proposal({"odd": "oh"}, "say more", SPENT, "small"), effect="proposal/1", access="write")
    script(
        Proposal({"even": "x"}, usage=SPENT, model="big", requested_model="small"),
        ProposerCompleted(1, "s", ("odd",), "small", 0.002, 110),
        CandidateRegistered("c", ("s",), 1, "proposer", {"even": "e", "odd": "oh"}, ("odd",), "say more"),
        ProposalLeakWarned(1, "s", "odd", "a", "quoted", 6),
        ProposalRefused(1, "s", 1, ("not that", "nor so"), "big", "small", None, 110),
        effect="proposal/1/1",
    )
    script(Proposal(), ProposalOvertaken(1, "s", 1, "sent_back"), effect="proposal/1/1/repair")
    failed = ProposerFailed(1, "s", "tired", "no more")
    script(ProposalFailure("tired", "no more"), failed, effect="proposal/1/1/again")


def accept(script):
    script.rollout("candidate_minibatch", 1, "c", "a", 0.5)
    better = CandidateAccepted(
        "c", "s", 1, "paired", 0.5, 1.5, 1.0, 2, 0.25, 3.0, "primary", {"effort": None}
    )
    script.rollout("candidate_minibatch", 1, "c", "b/1", 1.0, better)
    script.rollout("candidate_full_train", 1, "c", "a", 0.5)
    joined = FrontierUpdated("c", 1, ("b/1",), ("a",), ("c",), "c", 0.75, 0.25)
    evaluated = CandidateEvaluated("c", 1, 0.75, 2, 2, 0.25)
    script.rollout("candidate_full_train", 1, "c", "b/1", 1.0, evaluated, joined)


def merge_and_skip(script):
    """Limits are raised; a merge is refused, an iteration has nothing to learn, and one is given up."""
    merged = CandidateRegistered("m", ("s", "c"), 2, "merge", {"even": "e", "odd": "oho"}, ("odd",), "")
    script(Abandoned(()), RunExtended({**LIMITS, "train_rollouts": 120}, ("gepa.max_train_rollouts=120",)))
    script(Abandoned(()), MergeProposed(2, ("s", "c"), "s", {"even": "s", "odd": "c"}), merged)
    worse = CandidateRejected(
        "m", "c", 2, "merge", "no better", 1.5, 0.5, -1.0, 2, objective_deltas={"effort": 1.0}
    )
    script.rollout("candidate_minibatch", 2, "m", "a", 0.0, worse)
    skipped = IterationSkipped(3, "c", "perfect")
    begun = IterationStarted(4, "c", "pareto", ("a",))
    asked = ProposerStarted(4, "c", ("odd",), 0, "none")
    script(Abandoned(()), IterationStarted(3, "c", "pareto", ("b/1",)), skipped, begun, asked)
    given_up = ("rollout/4/parent_minibatch/c/tr/ain/b/1", "proposal/4")
    script(Abandoned(given_up), WorkAbandoned(1, 1), StopDecided("max_generations", 3, 3, "3 are over", 4))


#: Of two legs: the second changes one file, and writes one more.
FILES = (
    (("events.jsonl", "event_feed", "f1", 100), ("frontier.json", "frontier", "f2", 20)),
    (("events.jsonl", "event_feed", "f3", 130), ("frontier.json", "frontier", "f2", 20)),
)


def finish(script):
    script(Abandoned(()), HeldoutStarted(("s", "c"), 1))
    script.rollout("heldout", 0, "s", "h", 0.0, HeldoutCompleted("s", "seed", 0.0, None, 1, 1))
    verdict = HeldoutVerdict("inconclusive", "c", 1, 1, 1.0, None, 0.5, 0.95, "only 1 row differs")
    script.rollout(
        "heldout",
        0,
        "c",
        "h",
        1.0,
        HeldoutCompleted("c", "best", 1.0, None, 1, 1),
        verdict,
        DeploymentDecided("c", "optimization_selected"),
        RunFinished("c", 0.75, 4, 2, 11, 1, None, None),
    )
    script.store.keep_artifacts(FILES[0])
    script(Abandoned(()), RunExtended({**LIMITS, "iterations": 9}, ("gepa.max_generations=9",)))
    cancelled = RunCancelled("enough")
    script(Cancel("enough", ("rollout/5/parent_minibatch/c/tr/ain/a",)), WorkAbandoned(1, 0), cancelled)
    script.store.keep_artifacts((*FILES[1], ("container.log", "container_log", "f4", 9)))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    directory = tmp_path_factory.mktemp("script")
    script = Script(directory / "workspace.sqlite")
    for part in (set_up, iterate, accept, merge_and_skip, finish):
        part(script)
    script.journal.close()
    with closing(readable(directory)) as connection:
        yield connection


def rows_of(database, name):
    cursor = database.execute(f"SELECT * FROM {name}")
    names = [column[0] for column in cursor.description]
    each = (zip(names, row, strict=True) for row in cursor)
    rows = [{key: value for key, value in row if value is not None} for row in each]
    return sorted(rows, key=json.dumps)  # a query without an order may give its rows in any


def test_every_view_is_told_of():
    assert list(ROWS) == list(VIEWS)
    assert all(ROWS.values())


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_its_rows(name, database):
    assert rows_of(database, name) == ROWS[name]
