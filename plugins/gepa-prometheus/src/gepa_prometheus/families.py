"""A tally as Prometheus reads it: names, units, labels of few values, every series from the start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gepa_framework.types import FailureKind, Stage
from gepa_prometheus.tally import PROPOSER, ROLLOUT, STATES, Tally

_WHO: Final = (ROLLOUT, PROPOSER)
_OUTCOMES: Final = ("completed", "failed")
_ANSWERS: Final = ("completed", "refused", "overtaken", "failed")
_REASONS: Final = ("duplicate", "overtaken")
_DECISIONS: Final = ("accepted", "rejected")
_ROLES: Final = ("seed", "best", "tie")
#: Stands for every value of a label that is not known here, so that no plugin makes series without end.
OTHER: Final = "other"

_Values: TypeAlias = Mapping[tuple[str, ...], float]


class RunCollector:
    """Gives a run's metrics to a registry.

    Args:
        run_id: The run.
        snapshot: Gives a tally that nobody changes meanwhile; called for every scrape.
        constant: Labels of every series, with their values.
    """

    def __init__(
        self, run_id: str, snapshot: Callable[[], Tally], constant: Mapping[str, str] | None = None
    ) -> None:
        self._run_id = run_id
        self._snapshot = snapshot
        self._constant = dict(constant or {})

    def describe(self) -> Iterable[Metric]:
        """Give nothing: a registry of one collector has no names to compare."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Give every family, all of one moment."""
        tally = self._snapshot()
        yield from self._state(tally)
        yield from self._work(tally)
        yield from self._search(tally)
        yield from self._scores(tally)
        yield from self._spending(tally)

    def _state(self, tally: Tally) -> Iterator[Metric]:
        info = {"run_id": self._run_id, "config_digest": tally.config_digest}
        info["seed"] = "" if tally.seed is None else str(tally.seed)
        yield self._gauge("run_info", "Which run it is.", tuple(info), {tuple(info.values()): 1})
        states = _keyed({state: float(state == tally.state) for state in STATES})
        yield self._gauge("run_state", "Where the run stands: 1 for its state.", ("state",), states)
        yield self._plain("run_active", "1 while the run is worked on, 0 once it is over.", tally.active)
        if tally.error_code:
            code = _keyed({tally.error_code: 1.0})
            yield self._gauge("run_failure_info", "Why the run failed.", ("error_code",), code)
        text = "Time worked on the run, as of its last event; pauses between resumptions do not count."
        yield self._plain("run_elapsed_seconds", text, tally.elapsed_seconds)
        yield self._counter("events", "Events on record.", (), {(): tally.seq})
        text = "When the last event was heard, or the run was left, in seconds since the epoch."
        yield self._plain("last_event_timestamp_seconds", text, tally.heard_at)

    def _work(self, tally: Tally) -> Iterator[Metric]:
        rollouts = _every([(stage.value, outcome) for stage in Stage for outcome in _OUTCOMES])
        text = "Rollouts on record, by why they were run and how they ended; retries are not counted."
        given = (
            ((_known(stage, Stage), outcome), count) for (stage, outcome), count in tally.rollouts.items()
        )
        yield self._counter("rollouts", text, ("stage", "outcome"), _summed(rollouts, given))
        failures = _every([(kind.value,) for kind in FailureKind])
        kinds = (((_known(kind, FailureKind),), count) for kind, count in tally.failures.items())
        yield self._counter(
            "rollout_failures", "Failed rollouts by kind.", ("kind",), _summed(failures, kinds)
        )
        text = "Calls that were given up under way; what they took is not known."
        yield self._counter("abandoned_calls", text, ("boundary",), _by(_WHO, tally.abandoned))

    def _search(self, tally: Tally) -> Iterator[Metric]:
        yield self._counter("iterations", "Iterations begun.", (), {(): tally.iterations})
        text = "Parents, or proposals that changed nothing, that an iteration did not go on with."
        yield self._counter("iterations_skipped", text, (), {(): tally.skipped})
        text = (
            "Answers of the proposer: usable, refused and asked for once more, usable and overtaken, "
            "or failed for good."
        )
        yield self._counter("proposals", text, ("outcome",), _by(_ANSWERS, tally.proposals))
        text = "Usable proposals that were not rolled out."
        yield self._counter("proposals_dropped", text, ("reason",), _by(_REASONS, tally.dropped))
        text = "Proposals that failed since the last usable one."
        yield self._plain("proposer_consecutive_failures", text, tally.failures_in_a_row)
        text = "Candidates by whether they beat their parent on the minibatch."
        yield self._counter("candidates", text, ("decision",), _by(_DECISIONS, tally.candidates))
        yield self._plain("pool_candidates", "Candidates in the pool.", tally.pool)
        yield self._plain("frontier_candidates", "Candidates on the reduced frontier.", tally.frontier)

    def _scores(self, tally: Tally) -> Iterator[Metric]:
        """Give what there is: a score that is not known has no series."""
        if tally.best_score is not None:
            text = "Mean reward of the best candidate on the Pareto rows."
            yield self._plain("best_score", text, tally.best_score)
        if tally.best_stderr is not None:
            yield self._plain("best_score_stderr", "Standard error of that mean.", tally.best_stderr)
        if tally.heldout:
            roles = _keyed({_known(role, _ROLES): score for role, score in tally.heldout.items()})
            text = "Mean reward on the heldout rows; of several ties, the best."
            yield self._gauge("heldout_score", text, ("role",), roles)
        if tally.verdict:
            text = "What the heldout rows say of the best candidate."
            yield self._gauge("heldout_verdict_info", text, ("verdict",), {(tally.verdict,): 1})

    def _spending(self, tally: Tally) -> Iterator[Metric]:
        text = "US dollars spent, as far as events tell: failed calls and retries are left out."
        yield self._counter("cost_usd", text, ("boundary",), _by(_WHO, tally.cost_usd))
        text = "Tokens read and written, as far as events tell: failed calls and retries are left out."
        yield self._counter("tokens", text, ("boundary",), _by(_WHO, tally.tokens))
        text = "Calls whose cost is not known, and so not in gepa_cost_usd_total."
        yield self._counter("unpriced_calls", text, ("boundary",), _by(_WHO, tally.unpriced))
        limits = {
            name: float(limit) for name, limit in tally.limits.items() if isinstance(limit, int | float)
        }
        limited = _keyed(limits)
        text = "The hard limits that are set, each in its own unit."
        yield self._gauge("budget_limit", text, ("budget",), limited)
        used = {
            name: tally.used[name] / limit
            for name, limit in limits.items()
            if name in tally.used and limit > 0
        }
        text = "Used part of each limit, from 0 to 1, as far as events tell."
        yield self._gauge("budget_used_ratio", text, ("budget",), _keyed(used))

    def _plain(self, name: str, text: str, value: float) -> Metric:
        return self._gauge(name, text, (), {(): float(value)})

    def _gauge(self, name: str, text: str, labels: tuple[str, ...], values: _Values) -> Metric:
        family = GaugeMetricFamily(f"gepa_{name}", text, labels=(*labels, *self._constant))
        for key, value in values.items():
            family.add_metric((*key, *self._constant.values()), value)
        return family

    def _counter(self, name: str, text: str, labels: tuple[str, ...], values: _Values) -> Metric:
        family = CounterMetricFamily(f"gepa_{name}", text, labels=(*labels, *self._constant))
        for key, value in values.items():
            family.add_metric((*key, *self._constant.values()), value)
        return family


def _known(value: str, known: Iterable[str]) -> str:
    return value if value in set(known) else OTHER


def _every(keys: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], float]:
    """Give each series the value 0: a rate needs one to begin with."""
    return dict.fromkeys(keys, 0.0)


def _summed(
    values: dict[tuple[str, ...], float], given: Iterable[tuple[tuple[str, ...], float]]
) -> dict[tuple[str, ...], float]:
    for key, count in given:
        values[key] = values.get(key, 0.0) + count
    return values


def _keyed(values: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): value for name, value in values.items()}


def _by(names: Iterable[str], given: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return _keyed({name: float(given.get(name, 0)) for name in names})
