"""Cache ``memory``: keeps answers for as long as the process lives."""

from __future__ import annotations

import attrs

from gepa_framework.errors import CacheFullError, WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Capability, Kind, PluginInfo

_MIB = 1024 * 1024


@attrs.frozen
class MemoryCacheConfig:
    """Keys of ``[cache]`` with ``backend = "memory"``."""

    max_mib: int = attrs.field(
        default=1024,
        validator=attrs.validators.gt(0),
        metadata={"help": "Size of all values together, in MiB, that is never exceeded."},
    )


class MemoryCache:
    """A dictionary with a size limit; nothing is ever dropped."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._values: dict[tuple[str, str], bytes] | None = {}

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none."""
        return self._open().get((namespace, key))

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep the value unless there is one already.

        Raises:
            CacheFullError: It would take the cache past its limit.
        """
        values = self._open()
        if (namespace, key) in values:
            return
        if self._bytes + len(value) > self._max_bytes:
            raise CacheFullError(
                f"the memory cache holds {self._bytes} of at most {self._max_bytes} bytes, "
                f"and there is no room for {len(value)} more",
                hint="raise cache.max_mib, or use the sqlite cache",
            )
        values[namespace, key] = bytes(value)
        self._bytes += len(value)

    async def close(self) -> None:
        """Forget everything."""
        self._values = None

    def _open(self) -> dict[tuple[str, str], bytes]:
        if self._values is None:
            raise WorkspaceError("the memory cache is closed")
        return self._values


plugin_info = PluginInfo(
    kind=Kind.CACHE,
    name="memory",
    api=">=1.0,<2",
    config=MemoryCacheConfig,
    capabilities=frozenset({Capability.CONCURRENT, Capability.DETERMINISTIC}),
    summary="Keeps answers in memory, for one run of the process.",
)


@hookimpl
def gepa_make_cache(config: MemoryCacheConfig) -> MemoryCache:
    """Build the cache."""
    return MemoryCache(config.max_mib * _MIB)
