"""What holds for every cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Protocol, TypeVar, cast

import attrs
import pytest

from gepa_framework.errors import GepaError
from gepa_framework.testing.contracts.info import PluginInfoContract, build
from gepa_framework.testing.leaks import Traces
from gepa_framework.testing.playing import play
from gepa_framework.types import BuildContext, Cache, Capability, Kind, Listing, Preflight

T = TypeVar("T")
_VALUES = (b"", b"\0", bytes(range(256)), b"\xff\xfe", '{"kind":"é"}'.encode(), b"\r\n" * 3)
#: Names that a careless way of joining them would take for one another.
_PLACES = (
    *(("a", "b:c"), ("a:b", "c"), ("a:b:c", ""), ("", "a:b:c"), ("a", "b%3Ac"), ("a%3Ab", "c")),
    *(("ab", "c"), ("a", "bc"), ("A", "b:c"), ("a ", "b:c"), ("a*", "b?c"), ("é", "\0"), ("c" * 200, "k")),
)


class OpenCache(Protocol):
    """Opens a cache over the store of the test."""

    def __call__(self, *, readonly: bool = False) -> Cache:
        """Give a new cache; every one has the same store behind it, if it has one that outlives it."""
        ...


@asynccontextmanager
async def _opened(open_cache: OpenCache, *, readonly: bool = False) -> AsyncIterator[Cache]:
    cache = open_cache(readonly=readonly)
    try:
        yield cache
    finally:
        await cache.close()


def _play(
    open_cache: OpenCache, scene: Callable[[Cache], Coroutine[Any, Any, T]], *, readonly: bool = False
) -> T:
    async def main() -> T:
        async with _opened(open_cache, readonly=readonly) as cache:
            return await scene(cache)

    return play(main())


class CacheContract(PluginInfoContract):
    """Tests of a cache. Override `plugin`, and `config` where keys are needed.

    A cache whose values outlive it, or are shared with others, subclasses `SharedCacheContract`. What is
    behind it must be empty when a test begins: on a server, `config` names a place of the test's own.
    """

    kind = Kind.CACHE
    covers = frozenset({Capability.CONCURRENT, Capability.DETERMINISTIC})

    @pytest.fixture
    def open_cache(self, plugin: object, config: object, context: BuildContext) -> OpenCache:
        """Give what opens a cache; every one has the same store behind it, if it has one that outlives it."""

        def open_cache(*, readonly: bool = False) -> Cache:
            cache: Cache = build(plugin, config, attrs.evolve(context, readonly=readonly))
            return cache

        return open_cache

    def test_what_was_put_is_given_back(self, open_cache: OpenCache) -> None:
        """Byte for byte."""

        async def scene(cache: Cache) -> bytes | None:
            await cache.put("n", "k", b"value")
            return await cache.get("n", "k")

        assert _play(open_cache, scene) == b"value"

    def test_what_was_never_put_is_none(self, open_cache: OpenCache) -> None:
        """Neither another key nor another namespace answers for it."""

        async def scene(cache: Cache) -> list[bytes | None]:
            before = await cache.get("n", "k")
            await cache.put("n", "other", b"value")
            return [before, await cache.get("n", "k"), await cache.get("m", "other")]

        assert _play(open_cache, scene) == [None, None, None]

    def test_the_first_value_stays(self, open_cache: OpenCache) -> None:
        """Whoever asked first has been answered by it already."""

        async def scene(cache: Cache) -> bytes | None:
            await cache.put("n", "k", b"first")
            await cache.put("n", "k", b"second")
            return await cache.get("n", "k")

        assert _play(open_cache, scene) == b"first"

    def test_places_are_never_taken_for_one_another(self, open_cache: OpenCache) -> None:
        """Whatever stands in a namespace or a key."""

        async def scene(cache: Cache) -> list[bytes | None]:
            for number, place in enumerate(_PLACES):
                await cache.put(*place, str(number).encode())
            return [await cache.get(*place) for place in _PLACES]

        assert _play(open_cache, scene) == [str(number).encode() for number in range(len(_PLACES))]

    @pytest.mark.parametrize("value", _VALUES, ids=repr)
    def test_any_bytes_come_back_as_they_were(self, open_cache: OpenCache, value: bytes) -> None:
        """Values are opaque."""

        async def scene(cache: Cache) -> bytes | None:
            await cache.put("n", "k", value)
            return await cache.get("n", "k")

        got = _play(open_cache, scene)
        assert type(got) is bytes
        assert got == value

    def test_a_value_of_some_size_comes_back_whole(self, open_cache: OpenCache) -> None:
        """A megabyte is nothing unusual."""
        value = bytes(range(256)) * 4096

        async def scene(cache: Cache) -> bytes | None:
            await cache.put("n", "k", value)
            return await cache.get("n", "k")

        assert _play(open_cache, scene) == value

    def test_a_value_is_a_copy(self, open_cache: OpenCache) -> None:
        """What its owner does with it afterwards changes nothing."""

        async def scene(cache: Cache) -> bytes | None:
            value = bytearray(b"before")
            await cache.put("n", "k", cast("bytes", value))
            value[:] = b"after!"
            return await cache.get("n", "k")

        assert _play(open_cache, scene) == b"before"

    def test_many_calls_at_once_all_get_through(self, open_cache: OpenCache) -> None:
        """Every rollout of a pipeline asks the cache."""

        async def scene(cache: Cache) -> list[bytes | None]:
            names = [str(number) for number in range(100)]
            await asyncio.gather(*(cache.put("n", name, name.encode()) for name in names * 3))
            return await asyncio.gather(*(cache.get("n", name) for name in [*names, "none"]))

        assert _play(open_cache, scene) == [*(str(number).encode() for number in range(100)), None]

    def test_of_values_put_at_once_one_stays(self, open_cache: OpenCache) -> None:
        """And it is the same one for everybody."""
        values = [str(number).encode() for number in range(50)]

        async def scene(cache: Cache) -> list[bytes | None]:
            await asyncio.gather(*(cache.put("n", "k", value) for value in values))
            return await asyncio.gather(*(cache.get("n", "k") for _ in range(5)))

        got = _play(open_cache, scene)
        assert len(set(got)) == 1
        assert got[0] in values

    def test_closing_may_be_repeated_and_ends_the_use(self, open_cache: OpenCache) -> None:
        """What comes too late is refused with words."""

        async def main() -> None:
            cache = open_cache()
            await cache.put("n", "k", b"value")
            await cache.close()
            await cache.close()
            with pytest.raises(GepaError, match="closed"):
                await cache.get("n", "k")
            with pytest.raises(GepaError, match="closed"):
                await cache.put("n", "k", b"value")

        play(main())

    def test_closing_one_that_was_never_used_is_fine(self, open_cache: OpenCache) -> None:
        """A run may fail before its first question."""

        async def scene(cache: Cache) -> None:
            await cache.close()

        _play(open_cache, scene)

    def test_a_listing_gives_the_values_of_one_namespace(self, open_cache: OpenCache) -> None:
        """All of them, where listing is offered, and no others."""

        async def scene(cache: Cache) -> list[bytes] | None:
            for number in range(250):
                await cache.put("n", str(number), str(number).encode())
            for other in ("m", "n:", "n*", "", "nn"):
                await cache.put(other, "k", b"not asked for")
            return [value async for value in cache.values("n")] if isinstance(cache, Listing) else None

        got = _play(open_cache, scene)
        assert got is None or sorted(got) == sorted(str(number).encode() for number in range(250))

    def test_it_looks_before_it_is_needed(self, open_cache: OpenCache) -> None:
        """`preflight`, where it is offered, finds everything that the test has set up."""

        async def scene(cache: Cache) -> None:
            if isinstance(cache, Preflight):
                await cache.preflight()

        _play(open_cache, scene)

    def test_closing_leaves_nothing_running(self, open_cache: OpenCache) -> None:
        """No task, thread, connection or process outlives it."""
        before = Traces.now()
        _play(open_cache, lambda cache: cache.put("n", "k", b"value"))
        assert before.left_since() == {}


class SharedCacheContract(CacheContract):
    """Tests of a cache whose values are there for the next process: it declares `Capability.PERSISTENT`."""

    capability: ClassVar[Capability | None] = Capability.PERSISTENT

    def test_values_outlive_the_cache(self, open_cache: OpenCache) -> None:
        """That is what it claims."""
        _play(open_cache, lambda cache: cache.put("n", "k", b"value"))
        assert _play(open_cache, lambda cache: cache.get("n", "k")) == b"value"

    def test_two_that_are_open_see_what_the_other_puts(self, open_cache: OpenCache) -> None:
        """Runs share it while they go on."""

        async def main() -> list[bytes | None]:
            async with _opened(open_cache) as one, _opened(open_cache) as other:
                before = await other.get("n", "k")
                await one.put("n", "k", b"one")
                await other.put("n", "k", b"other")
                return [before, await one.get("n", "k"), await other.get("n", "k")]

        assert play(main()) == [None, b"one", b"one"]

    def test_readonly_reads_what_is_there(self, open_cache: OpenCache) -> None:
        """And gives nothing where there is nothing."""

        async def scene(cache: Cache) -> list[bytes | None]:
            return [await cache.get("n", "k"), await cache.get("n", "other")]

        _play(open_cache, lambda cache: cache.put("n", "k", b"value"))
        assert _play(open_cache, scene, readonly=True) == [b"value", None]

    def test_readonly_sees_what_another_puts_meanwhile(self, open_cache: OpenCache) -> None:
        """It is no snapshot."""

        async def main() -> list[bytes | None]:
            async with _opened(open_cache) as writer:
                await writer.put("n", "k", b"value")
                async with _opened(open_cache, readonly=True) as reader:
                    before = await reader.get("n", "new")
                    await writer.put("n", "new", b"new")
                    return [before, await reader.get("n", "new")]

        assert play(main()) == [None, b"new"]

    def test_readonly_refuses_to_keep_anything(self, open_cache: OpenCache) -> None:
        """With words, and nothing is there afterwards."""

        async def refused(cache: Cache) -> None:
            with pytest.raises(GepaError, match="read-only"):
                await cache.put("n", "new", b"value")

        _play(open_cache, lambda cache: cache.put("n", "k", b"value"))
        _play(open_cache, refused, readonly=True)
        assert _play(open_cache, lambda cache: cache.get("n", "new")) is None
