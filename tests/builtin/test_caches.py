from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.builtin import memory_cache, sqlite_cache
from gepa_framework.errors import CacheFullError, WorkspaceError
from gepa_framework.types import BuildContext, Cache, Listing, Preflight

NAMES = st.sampled_from(["", "a", "b", "a\0", "é", "ab", "c" * 64])
OPERATIONS = st.lists(
    st.tuples(st.just("put"), NAMES, NAMES, st.binary(max_size=200))
    | st.tuples(st.just("get"), NAMES, NAMES),
    max_size=40,
)
CLASSES = {
    memory_cache: memory_cache.MemoryCacheConfig,
    sqlite_cache: sqlite_cache.SqliteCacheConfig,
}


def build(module, directory: Path, *, readonly: bool = False, **options) -> Cache:
    context = BuildContext(run_id="r", run_dir=directory, base_dir=directory, readonly=readonly)
    return module.gepa_make_cache(CLASSES[module](**options), context)


@pytest.fixture(params=CLASSES, ids=["memory", "sqlite"])
def module(request):
    return request.param


async def apply(cache: Cache, model: dict, operation: tuple) -> None:
    verb, namespace, key, *value = operation
    if verb == "put":
        await cache.put(namespace, key, *value)
        model.setdefault((namespace, key), *value)
    assert await cache.get(namespace, key) == model.get((namespace, key))


@pytest.mark.parametrize("module", CLASSES, ids=["memory", "sqlite"])
@settings(deadline=None, max_examples=30)
@given(operations=OPERATIONS)
def test_it_behaves_like_a_dictionary_that_keeps_the_first(module, operations):
    async def play(directory: Path) -> None:
        cache, model = build(module, directory), {}
        for operation in operations:
            await apply(cache, model, operation)
        await cache.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(play(Path(directory)))


def test_closing_an_unused_one_makes_nothing(module, tmp_path):
    asyncio.run(build(module, tmp_path / "absent").close())
    assert not (tmp_path / "absent").exists()


def test_a_readonly_one_makes_nothing(tmp_path):
    async def play() -> None:
        cache = build(sqlite_cache, tmp_path / "absent", readonly=True)
        with pytest.raises(WorkspaceError, match="read-only"):
            await cache.put("n", "k", b"v")
        await cache.close()

    asyncio.run(play())
    assert not (tmp_path / "absent").exists()


def test_both_can_be_listed_and_the_file_is_looked_at_first():
    for protocol, modules in ((Listing, CLASSES), (Preflight, [sqlite_cache])):
        for module in modules:
            assert isinstance(build(module, Path("absent")), protocol)


@pytest.mark.parametrize("when_full", ["evict", "error"])
def test_what_is_larger_than_the_limit_is_refused_and_drops_nothing(module, tmp_path, when_full):
    async def play() -> bytes | None:
        cache = build(module, tmp_path, max_mib=1, when_full=when_full)
        await cache.put("n", "small", b"v")
        with pytest.raises(CacheFullError, match="max_mib"):
            await cache.put("n", "large", bytes(1024 * 1024 + 1))
        assert await cache.get("n", "large") is None
        await cache.put("n", "other", b"w")
        got = await cache.get("n", "small")
        await cache.close()
        return got

    assert asyncio.run(play()) == b"v"


def test_the_memory_cache_forgets_what_was_not_used_for_longest(tmp_path):
    async def play() -> list[int]:
        cache = build(memory_cache, tmp_path, max_mib=1)
        for number in range(10):
            await cache.put("n", str(number), bytes(100 * 1024))
        await cache.get("n", "0")
        await cache.put("n", "1", b"not kept, and a use of what is")
        for number in range(10, 15):
            await cache.put("n", str(number), bytes(100 * 1024))
        return [number for number in range(15) if await cache.get("n", str(number)) is not None]

    assert asyncio.run(play()) == [0, 1, 7, 8, 9, 10, 11, 12, 13, 14]


def test_the_memory_cache_forgets_nothing_where_it_must_not(tmp_path):
    async def play() -> list[bytes | None]:
        cache = build(memory_cache, tmp_path, max_mib=1, when_full="error")
        await cache.put("n", "one", bytes(600 * 1024))
        with pytest.raises(CacheFullError, match="no room for 614400 more"):
            await cache.put("n", "two", bytes(600 * 1024))
        return [await cache.get("n", "two"), (await cache.get("n", "one"))[:1]]

    assert asyncio.run(play()) == [None, b"\0"]


@pytest.mark.parametrize("config", CLASSES.values())
def test_a_limit_that_makes_no_sense_is_refused(config):
    with pytest.raises(ValueError, match="'max_mib' must be > 0"):
        config(max_mib=0)
    with pytest.raises(ValueError, match="'when_full' must be in"):
        config(when_full="shrug")
