"""What Redis and the network have to say, in the words of the framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
from redis import exceptions

from gepa_cache_redis.config import RedisCacheConfig
from gepa_framework.errors import CacheFullError, GepaError, WorkspaceError

_CURES: tuple[tuple[type[exceptions.RedisError], str, str], ...] = (
    (
        exceptions.AuthenticationError,
        "refuses the credentials",
        "name the variable that has the password in cache.password_env, and the user in cache.url",
    ),
    (
        exceptions.NoPermissionError,
        "refuses the credentials",
        "allow the user the commands GET, GETEX, SET, MGET, SCAN and PING on the keys of cache.prefix",
    ),
    (
        exceptions.ReadOnlyError,
        "is a replica that takes no writes",
        'give cache.url the primary, or use cache.mode = "readonly"',
    ),
    (exceptions.BusyLoadingError, "is still loading its data", "wait until it has"),
    (exceptions.TimeoutError, "has not answered in time", "see what it does, or raise cache.timeout_seconds"),
    (exceptions.ConnectionError, "cannot be reached", "start it, or correct cache.url"),
)


@attrs.frozen
class Translator:
    """Turns exceptions into errors that name the server and the cure.

    Attributes:
        config: Where the server is.
        redact: Takes secrets out of a text.
    """

    config: RedisCacheConfig
    redact: Callable[[str], str]

    @contextmanager
    def told(self) -> Iterator[None]:
        """Raise what Redis raises as what the framework knows.

        Raises:
            CacheFullError: The server has no memory left.
            WorkspaceError: The server cannot be used.
        """
        try:
            yield
        except (exceptions.RedisError, OSError) as error:
            raise self._error(error) from error

    def _error(self, error: BaseException) -> GepaError:
        if isinstance(error.__cause__, exceptions.RedisError):
            # A connection that does not come about is told instead of what stood in its way.
            return self._error(error.__cause__)
        server, said = f"the Redis server {self.config.shown}", self.redact(str(error))
        if isinstance(error, exceptions.OutOfMemoryError):
            return CacheFullError(
                f"{server} has no memory left: {said}",
                hint="raise its maxmemory, or give it a maxmemory-policy such as allkeys-lru",
            )
        for kind, what, cure in _CURES:
            if isinstance(error, kind):
                return WorkspaceError(f"{server} {what}: {said}", hint=cure)
        return WorkspaceError(f"{server} cannot be used: {said}", hint="see what the server logs")
