from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gepa_framework.builtin import memory_cache, sqlite_cache
from gepa_framework.errors import CacheFullError, WorkspaceError
from gepa_framework.types import BuildContext, Cache

NAMES = st.sampled_from(["", "a", "b", "a\0", "é", "ab", "c" * 64])
OPERATIONS = st.lists(
    st.tuples(st.just("put"), NAMES, NAMES, st.binary(max_size=200))
    | st.tuples(st.just("get"), NAMES, NAMES),
    max_size=40,
)


def build(kind: str, directory: Path, **options) -> Cache:
    if kind == "memory":
        return memory_cache.gepa_make_cache(memory_cache.MemoryCacheConfig(**options))
    context = BuildContext(run_id="r", run_dir=directory, base_dir=directory)
    return sqlite_cache.gepa_make_cache(sqlite_cache.SqliteCacheConfig(**options), context)


@pytest.fixture(params=["memory", "sqlite"])
def kind(request) -> str:
    return request.param


async def apply(cache: Cache, model: dict, operation: tuple) -> None:
    verb, namespace, key, *value = operation
    if verb == "put":
        await cache.put(namespace, key, *value)
        model.setdefault((namespace, key), *value)
    assert await cache.get(namespace, key) == model.get((namespace, key))


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(deadline=None, max_examples=30)
@given(operations=OPERATIONS)
def test_it_behaves_like_a_dictionary_that_keeps_the_first(kind, operations):
    async def play(directory: Path) -> None:
        cache, model = build(kind, directory), {}
        for operation in operations:
            await apply(cache, model, operation)
        await cache.close()

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(play(Path(directory)))


def test_many_at_once_all_get_through(kind, tmp_path):
    async def play() -> list[bytes | None]:
        cache = build(kind, tmp_path)
        await asyncio.gather(*(cache.put("n", str(i % 100), str(i % 100).encode()) for i in range(500)))
        got = await asyncio.gather(*(cache.get("n", str(i)) for i in range(101)))
        await cache.close()
        return got

    assert asyncio.run(play()) == [str(i).encode() for i in range(100)] + [None]


def test_a_value_is_a_copy(kind, tmp_path):
    async def play() -> bytes | None:
        cache, value = build(kind, tmp_path), bytearray(b"before")
        await cache.put("n", "k", value)
        value[:] = b"after!"
        got = await cache.get("n", "k")
        await cache.close()
        return got

    assert asyncio.run(play()) == b"before"


def test_closing_twice_is_fine_and_using_it_afterwards_is_not(kind, tmp_path):
    async def play() -> None:
        cache = build(kind, tmp_path)
        await cache.put("n", "k", b"v")
        await cache.close()
        await cache.close()
        with pytest.raises(WorkspaceError, match="is closed"):
            await cache.get("n", "k")
        with pytest.raises(WorkspaceError, match="is closed"):
            await cache.put("n", "k", b"v")

    asyncio.run(play())


def test_closing_an_unused_one_is_fine(kind, tmp_path):
    asyncio.run(build(kind, tmp_path / "absent").close())
    assert not (tmp_path / "absent").exists()


def test_the_size_limit_refuses_and_keeps_what_is_there(kind, tmp_path):
    async def play() -> bytes | None:
        cache = build(kind, tmp_path, max_mib=1)
        await cache.put("n", "small", b"v")
        with pytest.raises(CacheFullError, match="max_mib"):
            await cache.put("n", "large", bytes(1024 * 1024))
        assert await cache.get("n", "large") is None
        await cache.put("n", "other", b"w")
        got = await cache.get("n", "small")
        await cache.close()
        return got

    assert asyncio.run(play()) == b"v"


@pytest.mark.parametrize("config", [memory_cache.MemoryCacheConfig, sqlite_cache.SqliteCacheConfig])
def test_a_size_limit_of_nothing_is_refused(config):
    with pytest.raises(ValueError, match="'max_mib' must be > 0"):
        config(max_mib=0)
