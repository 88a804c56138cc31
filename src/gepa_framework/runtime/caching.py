"""The cache before the world: the same request, whoever asked it first, is answered once."""

from __future__ import annotations

import asyncio
import enum
import json
from collections import Counter
from collections.abc import Callable, Mapping

from gepa_framework.engine import Outcome
from gepa_framework.errors import CacheCorruptError, CacheMissError, GepaError, PluginBrokenError
from gepa_framework.runtime.nearest import nearest
from gepa_framework.types import Cache, JSONObject, Listing, compact_json
from gepa_framework.workspace import FAILPOINTS, decode_outcome, encode_outcome

#: How many values may wait to be written.
_WRITES_AT_ONCE = 256
#: How long a cache may take over one answer; twice what the SQLite cache waits for another process.
_PATIENCE_SECONDS = 60.0
_CURE = 'report it to its authors, or set cache.mode = "off"'


class CacheMode(enum.StrEnum):
    """How the cache is used."""

    OFF = "off"
    READWRITE = "readwrite"
    READONLY = "readonly"


class EffectCache:
    """Outcomes by boundary and request digest, with every access counted.

    Args:
        cache: The plugin; not called at all in mode ``off``.
        mode: How it is used.
        namespace: What keeps this run's answers apart from others'.
        redact: Takes secrets out of what is told of requests.
        owner: Whose the plugin is, in the words of errors.
    """

    def __init__(
        self,
        cache: Cache | None,
        mode: CacheMode,
        namespace: str,
        *,
        redact: Callable[[str], str] = str,
        owner: str = "the cache",
    ) -> None:
        self._redact = redact
        self.owner = owner
        self._cache = None if mode is CacheMode.OFF else cache
        self.mode = mode
        self.namespace = namespace
        self._accesses: Counter[tuple[str, str]] = Counter()
        self._writing: set[asyncio.Task[None]] = set()
        self._error: GepaError | None = None

    @property
    def plugin(self) -> Cache | None:
        """The plugin; ``None`` in mode ``off``."""
        return self._cache

    async def get(self, boundary: str, key: str, outline: Callable[[], JSONObject]) -> Outcome | None:
        """Give the outcome on record, or ``None`` where it has to be asked for.

        Args:
            boundary: Where the request goes.
            key: The digest of the request.
            outline: Gives what is asked, to be compared with what is known.

        Raises:
            CacheMissError: There is none and the mode is ``readonly``.
            CacheCorruptError: What is on record cannot be read.
        """
        if self._cache is None:
            return None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS) as limit:
                value: object = await self._cache.get(f"{self.namespace}:{boundary}", key)
        except SystemExit as error:
            raise self._named(error) from error
        except Exception as error:
            late = limit.expired()
            raise (self._silent(f"answered for {boundary}") if late else self._named(error)) from error
        if value is not None and not isinstance(value, bytes):
            told = f"{self.owner} gave {type(value).__name__} where bytes or None was due"
            raise PluginBrokenError(told, hint=_CURE)
        if value is not None:
            self._accesses[boundary, "hit"] += 1
            return _decode(value, boundary, key)
        self._accesses[boundary, "miss"] += 1
        if self.mode is CacheMode.READONLY:
            near = await self._near(boundary, outline())
            raise CacheMissError(
                f"the cache has no {boundary} {key} in namespace {self.namespace!r} and is read-only{near}",
                hint='run once with mode = "readwrite" and the same namespace',
            )
        return None

    async def _near(self, boundary: str, outline: JSONObject) -> str:
        """Say what comes nearest to a request that is not known; the miss is told whatever comes of it."""
        if not isinstance(self._cache, Listing):
            return ""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                said = await nearest(outline, self._cache.values(f"{self.namespace}:{boundary}"))
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            said = f"what comes near cannot be told: {type(error).__name__}: {error}"
        return f": {self._redact(said)}"

    async def put(self, boundary: str, key: str, outcome: Outcome, outline: JSONObject) -> None:
        """Have an outcome kept.

        Does not wait until it is written: a write that is lost costs one more question and no truth.

        Raises:
            GepaError: An earlier write failed.
        """
        self._complain()
        if self._cache is None:
            return
        FAILPOINTS.passed("before_cache_put")
        encoded = encode_outcome(outcome)
        value = compact_json({"kind": encoded.kind, "request": outline, "payload": encoded.payload})
        task = asyncio.create_task(
            self._put(self._cache, f"{self.namespace}:{boundary}", key, value.encode())
        )
        self._writing.add(task)
        task.add_done_callback(self._written)
        self._accesses[boundary, "write"] += 1
        if len(self._writing) > _WRITES_AT_ONCE:
            await self._wait()

    async def _put(self, cache: Cache, namespace: str, key: str, value: bytes) -> None:
        try:
            await cache.put(namespace, key, value)
        except SystemExit as error:
            # In a task of its own it would end the loop, and the run with it.
            raise self._named(error) from error

    def _written(self, task: asyncio.Task[None]) -> None:
        FAILPOINTS.passed("after_cache_put")
        self._writing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = self._error or self._named(error)

    def _complain(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    async def settle(self) -> None:
        """Wait until everything is written.

        Raises:
            GepaError: A write failed.
        """
        while self._writing:
            await self._wait()
        self._complain()

    async def _wait(self) -> None:
        done, _ = await asyncio.wait(
            self._writing, timeout=_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            raise self._silent(f"finished one of {len(self._writing)} writes")

    def profile(self) -> JSONObject:
        """Give the accesses by boundary and action."""
        boundaries: dict[str, dict[str, int]] = {}
        for (boundary, action), count in sorted(self._accesses.items()):
            boundaries.setdefault(boundary, {})[action] = count
        totals: Mapping[str, int] = {
            name: sum(counts.get(name, 0) for counts in boundaries.values())
            for name in ("hit", "miss", "write")
        }
        return {
            "mode": self.mode.value,
            "namespace": self.namespace,
            "totals": totals,
            "boundaries": boundaries,
        }

    def _named(self, error: BaseException) -> GepaError:
        if isinstance(error, GepaError):
            return error
        text = f"{self.owner} raised {type(error).__name__}: {error}"
        return PluginBrokenError(text, hint=_CURE)

    def _silent(self, what: str) -> PluginBrokenError:
        return PluginBrokenError(f"{self.owner} has not {what} within {_PATIENCE_SECONDS:g} s", hint=_CURE)


def _decode(value: bytes, boundary: str, key: str) -> Outcome:
    try:
        entry = json.loads(value)
        return decode_outcome(entry["kind"], entry["payload"])
    except (ValueError, KeyError, TypeError) as error:
        raise CacheCorruptError(
            f"the cache's {boundary} {key} cannot be read: {error}", hint="delete the cache file"
        ) from error
