from __future__ import annotations

import asyncio
import multiprocessing
import socket

import pytest
from redis import Redis

from gepa_cache_redis.sealing import place
from gepa_framework.errors import CacheCorruptError, CacheFullError, WorkspaceError


def play(cache, scene):
    async def main():
        try:
            return await scene(cache)
        finally:
            await cache.close()

    return asyncio.run(main())


def put(cache, key="k", value=b"v"):
    play(cache, lambda cache: cache.put("n", key, value))


def get(cache, key="k"):
    return play(cache, lambda cache: cache.get("n", key))


@pytest.fixture
def raw(server):
    with Redis(unix_socket_path=str(server.socket)) as client:
        yield client


def test_a_value_that_was_changed_is_refused_by_name(own, raw):
    where = place(own.prefix, "n", "k")
    put(own.open())
    for bad in (b"", b"v", raw.get(where) + b"x", bytes(33)):
        raw.set(where, bad)
        with pytest.raises(CacheCorruptError, match="is not what was put in; delete the key") as caught:
            get(own.open())
        assert where in str(caught.value)


def test_a_value_at_anothers_place_is_refused(own, raw):
    put(own.open())
    raw.rename(place(own.prefix, "n", "k"), place(own.prefix, "n", "k2"))
    with pytest.raises(CacheCorruptError):
        get(own.open(), "k2")


def test_a_key_of_another_kind_is_an_error_that_says_so(own, raw):
    raw.lpush(place(own.prefix, "n", "k"), "a")
    with pytest.raises(WorkspaceError, match="cannot be used: WRONGTYPE"):
        get(own.open())


def test_prefixes_are_kept_apart(own):
    put(own.open())
    assert get(own.open(prefix=f"{own.prefix}x")) is None


def test_an_answer_is_kept_for_so_long_after_its_last_use(own, raw):
    where = place(own.prefix, "n", "k")
    put(own.open(ttl_seconds=100))
    assert 90 <= raw.ttl(where) <= 100
    get(own.open(ttl_seconds=500))
    assert 490 <= raw.ttl(where) <= 500
    raw.persist(where)
    get(own.open())
    assert raw.ttl(where) == -1


def test_readonly_changes_nothing_not_even_how_long_it_is_kept(own, raw):
    where = place(own.prefix, "n", "k")
    put(own.open(ttl_seconds=100))
    before = raw.info("commandstats")
    get(own.open(ttl_seconds=500, readonly=True))
    assert raw.ttl(where) <= 100
    after = raw.info("commandstats")
    for command in ("set", "getex"):
        calls = [stats.get(f"cmdstat_{command}", {}).get("calls", 0) for stats in (before, after)]
        assert calls[0] == calls[1]


def test_a_value_larger_than_allowed_is_refused_before_it_is_sent(own):
    with pytest.raises(CacheFullError, match=r"an answer of 1048577 bytes .* cache\.max_value_mib; raise it"):
        put(own.open(max_value_mib=1), value=bytes(1024 * 1024 + 1))
    assert get(own.open()) is None


def _put_many(url, prefix, who):
    from pathlib import Path

    from gepa_cache_redis.config import RedisCacheConfig
    from gepa_cache_redis.plugin import gepa_make_cache
    from gepa_framework.types import BuildContext

    async def main():
        context = BuildContext(run_id=who, run_dir=Path(), base_dir=Path())
        cache = gepa_make_cache(RedisCacheConfig(url=url, prefix=prefix), context)
        names = [str(number) for number in range(100)]
        await asyncio.gather(*(cache.put("n", name, f"{who}{name}".encode()) for name in names))
        got = await asyncio.gather(*(cache.get("n", name) for name in names))
        await cache.close()
        return got

    return asyncio.run(main())


def test_processes_that_put_at_once_agree_on_what_was_first(server, own):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        tasks = [(server.url, own.prefix, who) for who in "ab"]
        one, other = pool.starmap(_put_many, tasks)
    assert one == other
    assert all(value in {f"a{n}".encode(), f"b{n}".encode()} for n, value in enumerate(one))


def test_more_calls_than_connections_wait_for_one(own):
    async def scene(cache):
        await asyncio.gather(*(cache.put("n", str(n), b"v") for n in range(50)))
        return await asyncio.gather(*(cache.get("n", str(n)) for n in range(50)))

    assert play(own.open(max_connections=2), scene) == [b"v"] * 50


def test_a_server_that_is_not_there_is_told_with_the_cure(build):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for scene in (
        lambda cache: cache.preflight(),
        lambda cache: cache.get("n", "k"),
        lambda cache: cache.put("n", "k", b"v"),
    ):
        with pytest.raises(
            WorkspaceError, match=rf"redis://127\.0\.0\.1:{port} cannot be reached: .*; start it"
        ):
            play(build(f"redis://127.0.0.1:{port}"), scene)


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(build):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cache = build(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.05)
        with pytest.raises(WorkspaceError, match=r"has not answered in time: .*cache\.timeout_seconds"):
            play(cache, lambda cache: cache.preflight())


def test_a_password_comes_from_the_environment_and_is_in_no_message(start, build):
    server = start("--requirepass", "canary-4711")
    right, wrong = ({"WORD": word} for word in ("canary-4711", "canary-0815"))
    put(build(server.url, password_env="WORD", environ=right))
    assert get(build(server.url, password_env="WORD", environ=right)) == b"v"
    for cache in (build(server.url), build(server.url, password_env="WORD", environ=wrong)):
        with pytest.raises(WorkspaceError, match=r"refuses the credentials: .*cache\.password_env") as caught:
            play(cache, lambda cache: cache.preflight())
        assert "canary" not in str(caught.value)


def test_a_server_without_memory_is_a_full_cache(start, build):
    server = start("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    with pytest.raises(CacheFullError, match=r"has no memory left: .*maxmemory-policy"):
        put(build(server.url))


def test_a_replica_may_be_read_and_not_written(start, build, server):
    replica = start("--replicaof", "127.0.0.1 1")
    with pytest.raises(WorkspaceError, match="is a replica that takes no writes"):
        put(build(replica.url))
    assert get(build(replica.url, readonly=True)) is None


def test_a_server_that_was_started_again_is_used_again(start, build):
    server = start()

    async def scene(cache):
        await cache.put("n", "k", b"v")
        with Redis(unix_socket_path=str(server.socket)) as client:
            client.client_kill_filter(_type="normal", skipme=True)
        return await cache.get("n", "k")

    assert play(build(server.url), scene) == b"v"


def test_a_server_that_dies_is_told(start, build):
    server = start()

    async def scene(cache):
        await cache.put("n", "k", b"v")
        server.stop()
        return await cache.get("n", "k")

    with pytest.raises(WorkspaceError, match="cannot be reached"):
        play(build(server.url), scene)
