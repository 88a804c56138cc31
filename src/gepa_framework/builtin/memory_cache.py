"""Cache ``memory``: keeps answers for as long as the process lives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Literal

import attrs

from gepa_framework.errors import CacheFullError, WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo

_MIB = 1024 * 1024


@attrs.frozen
class MemoryCacheConfig:
    """Keys of ``[cache]`` with ``backend = "memory"``."""

    max_mib: int = attrs.field(
        default=1024,
        validator=attrs.validators.gt(0),
        metadata={"help": "Size of all values together, in MiB, that is never exceeded."},
    )
    when_full: Literal["evict", "error"] = attrs.field(
        default="evict",
        validator=attrs.validators.in_(("evict", "error")),
        metadata={
            "help": "evict: drop what was not used for longest; error: end the run with gepa_cache_full."
        },
    )


class MemoryCache:
    """A dictionary with a size limit, in the order of use.

    Args:
        max_bytes: What all values together may take.
        evict: When there is no room, drop what was not used for longest.
        readonly: Refuse to keep anything.
    """

    def __init__(self, max_bytes: int, *, evict: bool = True, readonly: bool = False) -> None:
        self._max_bytes = max_bytes
        self._evict = evict
        self._readonly = readonly
        self._bytes = 0
        self._values: OrderedDict[tuple[str, str], bytes] | None = OrderedDict()

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none."""
        values, place = self._open(), (namespace, key)
        if place not in values:
            return None
        values.move_to_end(place)
        return values[place]

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep the value unless there is one already.

        Raises:
            CacheFullError: It would take the cache past its limit, and nothing may be dropped for it.
        """
        values, place = self._open(), (namespace, key)
        if self._readonly:
            raise WorkspaceError("the memory cache is read-only")
        if place in values:
            values.move_to_end(place)
            return
        self._make_room(values, len(value))
        values[place] = bytes(value)
        self._bytes += len(value)

    async def values(self, namespace: str) -> AsyncIterator[bytes]:
        """Give the values of a namespace by key."""
        for place, value in sorted(self._open().items()):
            if place[0] == namespace:
                yield value

    async def close(self) -> None:
        """Forget everything."""
        self._values = None

    def _make_room(self, values: OrderedDict[tuple[str, str], bytes], needed: int) -> None:
        fits_at_all = self._evict and needed <= self._max_bytes
        while self._bytes + needed > self._max_bytes:
            if not fits_at_all:
                raise CacheFullError(
                    f"the memory cache holds {self._bytes} of at most {self._max_bytes} bytes, "
                    f"and there is no room for {needed} more",
                    hint="raise cache.max_mib, or use the sqlite cache",
                )
            _, dropped = values.popitem(last=False)
            self._bytes -= len(dropped)

    def _open(self) -> OrderedDict[tuple[str, str], bytes]:
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
def gepa_make_cache(config: MemoryCacheConfig, context: BuildContext) -> MemoryCache:
    """Build the cache."""
    evict = config.when_full == "evict"
    return MemoryCache(config.max_mib * _MIB, evict=evict, readonly=context.readonly)
