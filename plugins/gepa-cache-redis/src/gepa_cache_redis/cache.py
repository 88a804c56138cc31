"""The cache: a few commands of Redis, with what they may fail with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnectionError

from gepa_cache_redis.config import RedisCacheConfig
from gepa_cache_redis.failures import Translator
from gepa_cache_redis.sealing import everything_in, place, seal, unseal
from gepa_framework.errors import CacheCorruptError, CacheFullError, WorkspaceError

_MIB: Final = 1024 * 1024
#: Values that are read at once where all of a namespace are, and keys that the server looks at for it.
_PAGE: Final = 100
_SCANNED: Final = 1000
#: A connection that the server has closed while it was idle is opened anew.
_RETRIES: Final = 1


class RedisCache:
    """Keeps values in a Redis server; the first one under a key stays.

    Args:
        config: Where the server is.
        password: What it asks for; empty for none.
        translator: Puts failures into words.
        readonly: Send no command that changes anything.
    """

    def __init__(
        self, config: RedisCacheConfig, password: str, translator: Translator, *, readonly: bool
    ) -> None:
        self._config = config
        self._password = password
        self._translator = translator
        self._readonly = readonly
        self._client: Redis | None = None
        self._closed = False

    async def preflight(self) -> None:
        """Look whether the server answers.

        Raises:
            WorkspaceError: It does not, or refuses the credentials.
        """
        with self._translator.told():
            await cast("Any", self._open().ping())

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none.

        Raises:
            CacheCorruptError: The value is not what was put in.
            WorkspaceError: The server cannot be asked.
        """
        where = place(self._config.prefix, namespace, key)
        with self._translator.told():
            if self._readonly or self._config.ttl_seconds is None:
                sealed = await self._open().get(where)
            else:
                sealed = await self._open().getex(where, ex=self._config.ttl_seconds)
        return None if sealed is None else self._unsealed(where, cast("bytes", sealed))

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep the value unless there is one already.

        Raises:
            CacheFullError: The server has no memory left, or the value is larger than is allowed.
            WorkspaceError: The server cannot be asked, or may only be read.
        """
        if self._readonly:
            raise WorkspaceError(f"the cache {self._config.shown} is read-only")
        if len(value) > self._config.max_value_mib * _MIB:
            raise CacheFullError(
                f"an answer of {len(value)} bytes is more than the {self._config.max_value_mib} MiB "
                "of cache.max_value_mib",
                hint="raise it",
            )
        where = place(self._config.prefix, namespace, key)
        with self._translator.told():
            await self._open().set(where, seal(where, bytes(value)), nx=True, ex=self._config.ttl_seconds)

    async def values(self, namespace: str) -> AsyncIterator[bytes]:
        """Give the values of a namespace by key; raises what `get` raises.

        The server goes through all of its keys for it.
        """
        pattern = f"{everything_in(self._config.prefix, namespace)}*"
        with self._translator.told():
            found = {each async for each in self._open().scan_iter(match=pattern, count=_SCANNED)}
        places = iter(sorted(cast("set[bytes]", found)))
        while page := list(islice(places, _PAGE)):
            for value in await self._read(page):
                yield value

    async def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            with self._translator.told():
                await client.aclose()

    async def _read(self, places: Sequence[bytes]) -> list[bytes]:
        with self._translator.told():
            sealed = await self._open().mget(places)
        pairs = zip(places, cast("list[bytes | None]", sealed), strict=True)
        # One that has gone since is no value any more.
        return [self._unsealed(where.decode(), each) for where, each in pairs if each is not None]

    def _unsealed(self, where: str, sealed: bytes) -> bytes:
        value = unseal(where, sealed)
        if value is None:
            raise CacheCorruptError(
                f"{self._config.shown}: the value of {where!r} is not what was put in",
                hint="delete the key: what it held is asked for again",
            )
        return value

    def _open(self) -> Redis:
        if self._closed:
            raise WorkspaceError(f"the cache {self._config.shown} is closed")
        if self._client is None:
            config = self._config
            pool = BlockingConnectionPool.from_url(
                config.url,
                password=self._password or None,
                protocol=2,  # the newer one hides that a password is asked for
                max_connections=config.max_connections,
                timeout=config.timeout_seconds,
                socket_timeout=config.timeout_seconds,
                socket_connect_timeout=config.connect_timeout_seconds,
                retry=Retry(NoBackoff(), _RETRIES, supported_errors=(NoConnectionError,)),
            )
            self._client = Redis.from_pool(pool)
        return self._client
