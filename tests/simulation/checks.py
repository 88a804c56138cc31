"""What must be true after every step of every run."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.reference.frontier import ReferenceFrontier
from tests.simulation.schedules import Schedule

from gepa_framework._core import accept
from gepa_framework.engine import FailedRollouts, Machine, Propose, Rollout, Status
from gepa_framework.types import RolloutResult, Stage
from gepa_framework.types.events import CandidateAccepted, CandidateRejected, FrontierUpdated

_MONEY = ("cost_usd", "prompt_tokens", "completion_tokens", "total_tokens")
_RULES = {"strict_improvement": lambda b, a: a > b, "improvement_or_equal": lambda b, a: a >= b}


class Watch:
    """Looks at a run from outside, and keeps books of its own."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.plan = schedule.plan
        self.limits = schedule.plan.limits
        self.asked: Counter[str] = Counter()
        self.commands: dict[str, Any] = {}
        self.finished: set[str] = set()
        self.spent = dict.fromkeys(_MONEY, 0.0)
        self.blind: set[str] = set()
        self.rollouts: Counter[str] = Counter()
        self.proposals = 0
        self.outcomes: dict[tuple[str, str], Any] = {}
        self.evaluated: set[tuple[str, str]] = set()
        self.reference = ReferenceFrontier(
            len(self.plan.train), self.plan.frontier, list(self.plan.objectives.values())
        )
        self.members: list[str] = []

    def crashed(self) -> None:
        """A new process asks again for what was under way."""

    def refused(self, machine: Machine) -> None:
        """Look at a finished run whose limits were not raised."""
        assert machine.status is Status.FINISHED
        assert not machine.pending
        assert machine.run.limits == self.limits

    def lost(self, begun: tuple[str, ...]) -> None:
        """Count what was given up under way as run."""
        self.rollouts["train"] += sum(name.startswith("rollout/") for name in begun)
        self.proposals += sum(name.startswith("proposal/") for name in begun)

    def paid(self, command: Any, outcome: Any, superseded: Any) -> None:
        """Book what the world did."""
        assert command.effect_id not in self.finished, "an effect was carried out twice"
        self.finished.add(command.effect_id)
        if isinstance(command, Rollout):
            self.rollouts["heldout" if command.stage is Stage.HELDOUT else "train"] += 1
        elif isinstance(command, Propose):
            self.proposals += 1
        else:
            return
        for usage in (*superseded, outcome.usage):
            for name in _MONEY:
                value = getattr(usage, name)
                if value is None:
                    self.blind.add(name)
                else:
                    self.spent[name] += value
        self._told(command, outcome)

    def _told(self, command: Any, outcome: Any) -> None:
        """Note what a candidate came to on a row; a full evaluation says it better than a comparison."""
        if not isinstance(command, Rollout) or command.stage in (Stage.PARENT, Stage.HELDOUT):
            return
        place = command.candidate.id, command.row.id
        if command.stage is not Stage.CHILD or place not in self.evaluated:
            self.outcomes[place] = outcome
        if command.stage is not Stage.CHILD:
            self.evaluated.add(place)

    def step(self, machine: Machine, step: Any, given: Any) -> None:
        """Look at one step."""
        for command in step.commands:
            assert command.effect_id in machine.pending
            self.asked[command.effect_id] += 1
            assert self.asked[command.effect_id] == 1, f"{command.effect_id} was asked for twice"
            self.commands[command.effect_id] = command
        assert not set(step.revoked) & set(machine.pending)
        if machine.status is Status.RUNNING:
            assert machine.pending or machine.run.limbo, "the run goes on and waits for nothing"
        else:
            assert not machine.pending
        self._budgets(machine)
        self._reservations(machine)
        for body in step.events:
            self._decision(body)
        joined = [body.candidate_id for body in step.events if isinstance(body, FrontierUpdated)]
        for name in joined:
            self._join(machine, name)
        if joined:
            self._frontier(machine)

    def _budgets(self, machine: Machine) -> None:
        limits = self.limits
        assert machine.run.limits == limits
        assert machine.run.in_flight <= self.plan.pipelining.in_flight
        total = self.rollouts["train"] + self.rollouts["heldout"]
        for limit, used in (
            (limits.train_rollouts, self.rollouts["train"]),
            (limits.heldout_rollouts, self.rollouts["heldout"]),
            (limits.total_rollouts, total),
            (limits.proposals, self.proposals),
            (limits.iterations, machine.run.iteration),
        ):
            assert limit is None or used <= limit, f"{used} of {limit} are used"
        for name in _MONEY:
            limit = getattr(limits, name)
            # What nobody said cannot be held against a limit; the search ends there.
            if limit is not None and not self.blind:
                assert self.spent[name] <= limit + 1e-9, f"{self.spent[name]} of {limit} {name} are spent"

    def _reservations(self, machine: Machine) -> None:
        budget = machine.run.budget
        for name in ("train", "heldout", "proposals"):
            aside = sum(getattr(purse, name) for purse in budget.open)
            assert getattr(budget, name) == aside >= 0, f"{name}: {aside} in the purses"
        assert len(budget.open) <= 1 + self.plan.pipelining.in_flight

    def _decision(self, body: Any) -> None:
        rule = _RULES.get(getattr(body, "rule", ""))
        plain = self.plan.weighing.criterion == "primary"
        if isinstance(body, CandidateAccepted) and rule and plain:
            assert rule(body.before, body.after), f"{body} was accepted"
        if isinstance(body, CandidateRejected) and body.reason.startswith("could not be accepted any more"):
            assert not self._would_win(body), f"{body.candidate_id} was given up and would have won"

    def _would_win(self, body: Any) -> bool:
        """Ask the world, which knows all rewards, what the whole comparison would have come to."""
        commands = [
            command
            for command in self.commands.values()
            if isinstance(command, Rollout)
            and command.iteration == body.iteration
            and command.stage is Stage.CHILD
            and command.candidate.id == body.candidate_id
        ]
        beside = {
            command.row.id: command
            for command in self.commands.values()
            if isinstance(command, Rollout)
            and command.iteration == body.iteration
            and command.stage is Stage.PARENT
            and command.candidate.id == body.parent_id
        }
        pairs = [(self._worth(beside[command.row.id]), self._worth(command)) for command in commands]
        whole = [(before, after) for before, after in pairs if before is not None and after is not None]
        if not whole:
            return False
        befores, afters = zip(*whole, strict=True)
        return accept(body.rule, befores, afters, margin=self.plan.accepting.margin).accepted

    def _worth(self, command: Rollout) -> float | None:
        """Ask the world what a rollout comes to, failed ones counted as the plan says."""
        outcome = self.schedule.world.answer(command)[0]
        if isinstance(outcome, RolloutResult):
            return outcome.reward
        return 0.0 if self.plan.failed_rollouts is FailedRollouts.SCORE_ZERO else None

    def _frontier(self, machine: Machine) -> None:
        """Hold the frontier against its definition."""
        pool = machine.run.pool
        fronts = {cell: members for cell, members in pool.frontier.fronts() if members}
        assert fronts == {cell: members for cell, members in self.reference.fronts().items() if members}
        best = max(range(len(self.members)), key=lambda index: (self._mean(pool, index), -index))
        assert self._mean(pool, pool.frontier.best()) == self._mean(pool, best)

    def _mean(self, pool: Any, index: int) -> tuple[float, int]:
        return pool.frontier.mean(index), pool.frontier.coverage(index)

    def _join(self, machine: Machine, name: str) -> None:
        pool = machine.run.pool
        index = len(self.members)
        assert pool.members[index].candidate.id == name
        self.members.append(name)
        rows = [row for row in range(len(pool.rows)) if pool.frontier.score(index, row) is not None]
        scores = [pool.frontier.score(index, row) for row in rows]
        for row, score in zip(rows, scores, strict=True):
            outcome = self.outcomes[name, pool.rows[row]]
            known = outcome.reward if isinstance(outcome, RolloutResult) else 0.0
            assert score == known, f"{name} has {score} on {pool.rows[row]} and was given {known}"
        names = list(self.plan.objectives)
        told = [getattr(self.outcomes[name, pool.rows[row]], "objectives", {}) for row in rows]
        values = [[each.get(objective) for objective in names] for each in told]
        self.reference.add(scores, rows, values if names else None)

    def ended(self, machine: Machine) -> None:
        """Look at a run that is over."""
        assert machine.status is not Status.FINISHED or not machine.run.limbo
        run, budget = machine.run, machine.run.budget
        if machine.status is Status.FINISHED:
            assert budget.train == 0 or not run.has_pool
            assert budget.proposals == 0
            assert run.ledger.train_rollouts + run.ledger.abandoned_rollouts == self.rollouts["train"]
            assert run.ledger.heldout_rollouts == self.rollouts["heldout"]
            assert run.finished <= run.iteration
        for name in _MONEY:
            known = run.ledger.known(name)
            if known is not None and machine.status is not Status.FAILED:
                unit = 1e9 if name == "cost_usd" else 1
                assert abs(known / unit - self.spent[name]) < 1e-6
