"""Every builtin keeps the contract of its kind."""

from __future__ import annotations

import json

import pytest

from gepa_framework.builtin import (
    deadline,
    jsonl,
    max_iterations,
    memory_cache,
    no_improvement,
    score_threshold,
    sqlite_cache,
    sqlite_store,
)
from gepa_framework.testing.contracts import (
    CacheContract,
    ClockStopperContract,
    PersistentListenerContract,
    SharedCacheContract,
    StopperContract,
    StoreContract,
)
from gepa_framework.types import RunView


class TestDeadline(ClockStopperContract):
    @pytest.fixture
    def plugin(self):
        return deadline

    @pytest.fixture
    def config(self):
        return deadline.DeadlineConfig(seconds=60.0)

    @pytest.fixture
    def run_that_stops(self):
        return [RunView(elapsed_seconds=seconds) for seconds in (0.0, 59.9, 60.0)]


class TestMaxIterations(StopperContract):
    @pytest.fixture
    def plugin(self):
        return max_iterations

    @pytest.fixture
    def config(self):
        return max_iterations.MaxIterationsConfig(iterations=3)

    @pytest.fixture
    def run_that_stops(self):
        return [RunView(iteration=number) for number in range(4)]


class TestNoImprovement(StopperContract):
    @pytest.fixture
    def plugin(self):
        return no_improvement

    @pytest.fixture
    def config(self):
        return no_improvement.NoImprovementConfig(iterations=2)

    @pytest.fixture
    def run_that_stops(self):
        return [RunView(iterations_since_improvement=waited) for waited in (0, 1, 0, 1, 2)]


class TestScoreThreshold(StopperContract):
    @pytest.fixture
    def plugin(self):
        return score_threshold

    @pytest.fixture
    def config(self):
        return score_threshold.ScoreThresholdConfig(score=0.75)

    @pytest.fixture
    def run_that_stops(self):
        return [RunView(best_score=score) for score in (None, 0.5, 0.7499, 0.75)]


class TestMemoryCache(CacheContract):
    @pytest.fixture
    def plugin(self):
        return memory_cache


class TestSqliteCache(SharedCacheContract):
    @pytest.fixture
    def plugin(self):
        return sqlite_cache

    @pytest.fixture
    def config(self):
        return sqlite_cache.SqliteCacheConfig(path="new/cache.sqlite")


class TestJsonl(PersistentListenerContract):
    @pytest.fixture
    def plugin(self):
        return jsonl

    @pytest.fixture
    def kept(self, context):
        path = context.run_dir / jsonl.DEFAULT_NAME
        return lambda: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def plugin(self):
        return sqlite_store
