from __future__ import annotations

import pytest

from gepa_framework.testing.contracts.cache import SharedCacheContract


class TestRedisCache(SharedCacheContract):
    @pytest.fixture
    def open_cache(self, own):
        return own.open


class TestRedisCacheThatForgets(SharedCacheContract):
    @pytest.fixture
    def open_cache(self, own):
        return lambda *, readonly=False: own.open(readonly=readonly, ttl_seconds=100)
