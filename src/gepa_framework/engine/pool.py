"""The pool: the candidates that were evaluated in full, and what is known of each."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import attrs

from gepa_framework._core import (
    STREAM_SELECTION,
    AddReport,
    Frontier,
    Lineage,
    Merge,
    Merger,
    Rng,
    ScoreError,
    select,
)
from gepa_framework.engine.measuring import measure
from gepa_framework.engine.plan import Selecting
from gepa_framework.errors import RunFailedError
from gepa_framework.types import Candidate, LineageStep, RejectedAttempt

#: What is kept of a proposer's reason.
RATIONALE_CHARS = 500


@attrs.frozen
class Member:
    """A candidate of the pool.

    Attributes:
        candidate: Its texts.
        parent_ids: The candidates that it came from; empty for the seed.
        iteration: When it joined; 0 for the seed.
    """

    candidate: Candidate
    parent_ids: tuple[str, ...]
    iteration: int


class Pool:
    """Members, their frontier, and every text that was ever tried.

    Attributes:
        rationales: Candidate to the beginning of the reason why it was proposed, where there was one.
        standings: The best mean reward once each of the members had joined.

    Args:
        seed: The run's seed, which selection draws from.
        rows: Ids of the Pareto rows, in the order of the frontier's cells.
        remember: Refused attempts kept for each parent.
        kind: What the frontier's cells stand for.
        objectives: Objective name to direction.
    """

    def __init__(
        self,
        *,
        seed: int,
        rows: Sequence[str],
        remember: int,
        kind: str = "instance",
        objectives: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.rows = tuple(rows)
        self.members: list[Member] = []
        self.frontier = Frontier(len(self.rows), kind, list(objectives.values()))
        self._objectives = tuple(objectives)
        self.known: dict[str, Candidate] = {}
        self.rationales: dict[str, str] = {}
        self.standings: list[float] = []
        self.steps: dict[str, LineageStep] = {}
        self._indices: dict[str, int] = {}
        self._seed = seed
        self._lineage = Lineage()
        self._merger = Merger()
        self._texts: dict[tuple[str, str], int] = {}
        # Told of in one request after another: made once each, as the parent and as descendants are told.
        self._rejected: Mapping[str, deque[tuple[RejectedAttempt, RejectedAttempt]]] = defaultdict(
            lambda: deque(maxlen=remember)
        )
        self._cursors: dict[str, int] = {}

    def register(self, candidate: Candidate, rationale: str = "") -> None:
        """Remember that these texts exist, so that they are not tried twice, and why they were proposed."""
        self.known[candidate.id] = candidate
        if rationale:
            self.rationales[candidate.id] = rationale[:RATIONALE_CHARS]

    def add(
        self,
        member: Member,
        scores: Mapping[int, float],
        objectives: Mapping[int, Mapping[str, float]] = MappingProxyType({}),
    ) -> AddReport:
        """Let a candidate in with its rewards and objectives by row; rows without a reward stay empty.

        Raises:
            RunFailedError: The frontier needs objectives and none was reported.
        """
        values = [
            [objectives.get(position, {}).get(name) for name in self._objectives] for position in scores
        ]
        try:
            report = self.frontier.add(
                list(scores.values()), list(scores), values if self._objectives else None
            )
        except ScoreError as error:
            raise RunFailedError(
                f"{member.candidate.id} cannot be ranked: {error}",
                hint="gepa.objective_keys must name objective_scores that the container reports",
            ) from error
        self._lineage.add(
            [self._indices[parent] for parent in member.parent_ids], self._numbered(member.candidate)
        )
        self._indices[member.candidate.id] = len(self.members)
        self.members.append(member)
        self.standings.append(self.frontier.mean(self.frontier.best()))
        return report

    def _numbered(self, candidate: Candidate) -> list[int]:
        """Give a number for each text, alike for alike texts."""
        return [self._texts.setdefault(part, len(self._texts)) for part in candidate.components.items()]

    def index(self, candidate_id: str) -> int:
        """Give a member's position in the order of joining."""
        return self._indices[candidate_id]

    def score(self, member: Member, row: int) -> float | None:
        """Give a member's reward on a Pareto row; ``None`` where it has none."""
        return self.frontier.score(self._indices[member.candidate.id], row)

    def stderr(self, member: Member) -> float | None:
        """Give the standard error of a member's mean reward; ``None`` for fewer than two Pareto rows."""
        return measure(self.frontier.scores(self._indices[member.candidate.id])).stderr

    def standing(self, member: Member) -> tuple[float, int]:
        """Give a member's mean reward and the Pareto rows that it is over."""
        index = self._indices[member.candidate.id]
        return self.frontier.mean(index), self.frontier.coverage(index)

    def objectives(self, member: Member, row_id: str) -> Mapping[str, float]:
        """Give a member's objectives on a Pareto row, those that it has."""
        candidate, row = self._indices[member.candidate.id], self.rows.index(row_id)
        scores = {
            name: self.frontier.objective_score(candidate, row, number)
            for number, name in enumerate(self._objectives)
        }
        return {name: score for name, score in scores.items() if score is not None}

    def select(self, selecting: Selecting, iteration: int, count: int = 1) -> list[Member]:
        """Draw the parents of an iteration, each for itself."""
        rng = Rng(self._seed, STREAM_SELECTION, iteration)
        return [
            self.members[
                select(
                    self.frontier,
                    selecting.rule,
                    rng,
                    epsilon=selecting.epsilon,
                    k=selecting.k,
                    best_floor=selecting.best_floor,
                    batch=selecting.batch,
                )
            ]
            for _ in range(count)
        ]

    def merge(self, rng: Rng, *, overlap: int) -> Merge | None:
        """Give two members that complement each other with what they make together, if there are any."""
        return self._merger.propose(self.frontier, self._lineage, rng, overlap=overlap)

    def mean(self, member: Member) -> float:
        """Give a member's mean reward on the Pareto rows."""
        return self.frontier.mean(self._indices[member.candidate.id])

    @property
    def best(self) -> Member:
        """The best member: by mean reward, then coverage, then age."""
        return self.members[self.frontier.best()]

    @property
    def best_score(self) -> float | None:
        """The best member's mean reward; ``None`` while the pool is empty."""
        return self.frontier.mean(self.frontier.best()) if self.members else None

    def reject(self, parent_id: str, attempt: RejectedAttempt) -> None:
        """Remember an attempt that did not get in."""
        self._rejected[parent_id].append((attempt, attrs.evolve(attempt, parent_id=parent_id)))

    def rejected(self, parent_id: str, *, named: bool = False) -> tuple[RejectedAttempt, ...]:
        """Give the latest refused attempts from a parent, oldest first.

        Args:
            parent_id: The parent.
            named: Whether each says whose attempt it was, as descendants are told.
        """
        return tuple(pair[named] for pair in self._rejected[parent_id])

    def next_component(self, parent_id: str, components: Sequence[str]) -> str:
        """Give the component whose turn it is with this parent."""
        turn = self._cursors.get(parent_id, 0)
        self._cursors[parent_id] = turn + 1
        return components[turn % len(components)]

    def names(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Give the ids of members by index."""
        return tuple(self.members[index].candidate.id for index in indices)

    def cells(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Give the names of cells by index: the row, the objective, or both."""
        return tuple("/".join(part for part in self.cell(index) if part) for index in indices)

    def cell(self, index: int) -> tuple[str | None, str | None]:
        """Give the row and the objective that a cell stands for, where it stands for one."""
        row, objective = self.frontier.key(index)
        return (
            None if row is None else self.rows[row],
            None if objective is None else self._objectives[objective],
        )
