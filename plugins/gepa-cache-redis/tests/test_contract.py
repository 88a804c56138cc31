from __future__ import annotations

import pytest

from gepa_cache_redis import plugin as redis_plugin
from gepa_cache_redis.config import RedisCacheConfig
from gepa_framework.testing.contracts import SharedCacheContract


class TestRedisCache(SharedCacheContract):
    @pytest.fixture
    def plugin(self):
        return redis_plugin

    @pytest.fixture
    def config(self, server, own):
        return RedisCacheConfig(url=server.url, prefix=own.prefix)


class TestRedisCacheThatForgets(SharedCacheContract):
    @pytest.fixture
    def plugin(self):
        return redis_plugin

    @pytest.fixture
    def config(self, server, own):
        return RedisCacheConfig(url=server.url, prefix=own.prefix, ttl_seconds=100)
