"""What the framework finds by the entry point ``redis``."""

from __future__ import annotations

from gepa_cache_redis.cache import RedisCache
from gepa_cache_redis.config import RedisCacheConfig
from gepa_cache_redis.failures import Translator
from gepa_framework.errors import ConfigError, Problem
from gepa_framework.hookspecs import hookimpl
from gepa_framework.net import Redactor
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo

plugin_info = PluginInfo(
    kind=Kind.CACHE,
    name="redis",
    api=">=1.0,<2",
    config=RedisCacheConfig,
    capabilities=frozenset({Capability.CONCURRENT, Capability.DETERMINISTIC, Capability.PERSISTENT}),
    summary="Keeps answers in a Redis server that machines may share.",
)


@hookimpl
def gepa_make_cache(config: RedisCacheConfig, context: BuildContext) -> RedisCache:
    """Build the cache; nothing is opened before its first call."""
    password = _password(config, context)
    redactor = Redactor((password,) if password else ())
    translator = Translator(config, lambda text: context.redact(redactor(text)))
    return RedisCache(config, password, translator, readonly=context.readonly)


def _password(config: RedisCacheConfig, context: BuildContext) -> str:
    if config.password_env is None:
        return ""
    password = context.environ.get(config.password_env, "")
    if password:
        return password
    message = f"names the environment variable {config.password_env}, which is not set"
    problem = Problem("password_env", message, "set it, or drop the key")
    raise ConfigError(str(problem), problems=(problem,))
