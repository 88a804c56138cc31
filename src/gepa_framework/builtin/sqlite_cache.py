"""Cache ``sqlite``: keeps answers in one file that several processes may share."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, TypeVar

import attrs

from gepa_framework.builtin.cache_file import CacheFile, Entry
from gepa_framework.builtin.fields import file_path
from gepa_framework.errors import WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Capability, Kind, PluginInfo

T = TypeVar("T")
DEFAULT_NAME = "cache.sqlite"
#: Entries that are read at once where all of a namespace are.
_PAGE = 100


@attrs.frozen
class SqliteCacheConfig:
    """Keys of ``[cache]`` with ``backend = "sqlite"``."""

    path: str | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.min_len(1)),
        metadata={
            "help": "File of the cache, relative to the configuration file; "
            f"by default {DEFAULT_NAME} in the run's directory."
        },
    )
    max_mib: int = attrs.field(
        default=4096,
        validator=attrs.validators.gt(0),
        metadata={"help": "Size of the file, in MiB, that is never exceeded."},
    )
    when_full: Literal["evict", "error"] = attrs.field(
        default="evict",
        validator=attrs.validators.in_(("evict", "error")),
        metadata={
            "help": "evict: drop what was not used for longest, but nothing that the run itself wrote or "
            "read; error: end the run with gepa_cache_full."
        },
    )


@attrs.define(eq=False)
class _Batch:
    """Entries that will be written in one transaction, and its outcome."""

    written: asyncio.Future[None]
    entries: list[Entry] = attrs.field(factory=list)


class SqliteCache:
    """Hands everything to one thread; what is put while a transaction runs goes into the next one."""

    def __init__(self, file: CacheFile) -> None:
        self._file = file
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gepa-cache")
        self._guard = threading.Lock()
        self._waiting: _Batch | None = None
        self._closed = False

    async def preflight(self) -> None:
        """Look whether the file can be used.

        Raises:
            CacheMissError: It is not there, and may only be read.
            CacheCorruptError: It is no cache of this format.
            WorkspaceError: It cannot be opened.
        """
        await self._submit(self._file.check)

    async def get(self, namespace: str, key: str) -> bytes | None:
        """Give the value, or ``None`` where there is none.

        Raises:
            CacheMissError: The file is not there, and may only be read.
            CacheCorruptError: The value is not what was put in, or the file is damaged.
            WorkspaceError: The file cannot be read, or the cache is closed.
        """
        return await self._submit(lambda: self._file.get(namespace, key))

    async def put(self, namespace: str, key: str, value: bytes) -> None:
        """Keep the value unless there is one already; returns once it is written.

        Raises:
            CacheFullError: The disk, or the size that was allowed, is used up.
            CacheCorruptError: The file is damaged.
            WorkspaceError: The file cannot be written, or the cache is closed.
        """
        with self._guard:
            if self._waiting is None:
                self._waiting = _Batch(self._submit(self._write))
            batch = self._waiting
            batch.entries.append(Entry(namespace, key, bytes(value)))
        # One caller that gives up must not take the others' outcome with it.
        await asyncio.shield(batch.written)

    async def values(self, namespace: str) -> AsyncIterator[bytes]:
        """Give the values of a namespace by key; raises what `get` raises."""
        first = ""
        while entries := await self._submit(lambda: self._file.page(namespace, first, _PAGE)):  # noqa: B023
            for entry in entries:
                yield entry.value
            first = f"{entries[-1].key}\0"

    async def close(self) -> None:
        """Write what is unwritten and let go of file and thread."""
        if self._closed:
            return
        closing = self._submit(self._file.close)
        self._closed = True
        try:
            await closing
        finally:
            self._worker.shutdown(wait=False)

    def _submit(self, call: Callable[[], T]) -> asyncio.Future[T]:
        if self._closed:
            raise WorkspaceError(f"the cache {self._file.path} is closed")
        return asyncio.get_running_loop().run_in_executor(self._worker, call)

    def _write(self) -> None:
        with self._guard:
            batch, self._waiting = self._waiting, None
        if batch is not None:
            self._file.put_all(batch.entries)


plugin_info = PluginInfo(
    kind=Kind.CACHE,
    name="sqlite",
    api=">=1.0,<2",
    config=SqliteCacheConfig,
    capabilities=frozenset({Capability.CONCURRENT, Capability.DETERMINISTIC, Capability.PERSISTENT}),
    summary="Keeps answers in a SQLite file that runs and processes may share.",
)


@hookimpl
def gepa_make_cache(config: SqliteCacheConfig, context: BuildContext) -> SqliteCache:
    """Build the cache."""
    path = file_path(config.path, context, DEFAULT_NAME)
    evict = config.when_full == "evict"
    return SqliteCache(CacheFile(path, config.max_mib, evict=evict, readonly=context.readonly))
