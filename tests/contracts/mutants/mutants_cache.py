from __future__ import annotations

import asyncio
import pickle
import threading

import pytest
from mutating import mutants, plugin_of

from gepa_framework.errors import CacheCorruptError, GepaError
from gepa_framework.testing.contracts import CacheContract, SharedCacheContract
from gepa_framework.testing.fakes import FakeCache
from gepa_framework.types import Capability, Kind


class Honest(FakeCache):
    def __init__(self, context):
        super().__init__()

    async def values(self, namespace):
        for (place, _), value in sorted(self._open().items()):
            if place == namespace:
                yield value

    async def preflight(self):
        pass


class HonestShared:
    """Keeps a pickle, read and written at each call."""

    def __init__(self, context):
        self.path = context.base_dir / "cache"
        self.readonly = context.readonly
        self.closed = False

    def kept(self):
        if self.closed:
            raise GepaError("the cache is closed")
        return pickle.loads(self.path.read_bytes()) if self.path.exists() else {}

    async def get(self, namespace, key):
        return self.kept().get((namespace, key))

    async def put(self, namespace, key, value):
        kept = self.kept()
        if self.readonly:
            raise GepaError("the cache is read-only")
        kept.setdefault((namespace, key), bytes(value))
        self.path.write_bytes(pickle.dumps(kept))

    async def close(self):
        self.closed = True


class TestHonest(CacheContract):
    made = Honest

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.CACHE, self.made, Capability.DETERMINISTIC)


class TestHonestShared(SharedCacheContract):
    made = HonestShared

    @pytest.fixture
    def plugin(self):
        return plugin_of(Kind.CACHE, self.made, Capability.PERSISTENT)


class KeepsNothing(Honest):
    async def put(self, namespace, key, value):
        self._open()


class AnswersForAnotherKey(Honest):
    async def get(self, namespace, key):
        return await super().get(namespace, key) or next(iter(self._open().values()), None)


class GivesEmptyForNone(Honest):
    async def get(self, namespace, key):
        return await super().get(namespace, key) or b""


class KeepsTheLast(Honest):
    async def put(self, namespace, key, value):
        self._open()[namespace, key] = bytes(value)


class JoinsNames(Honest):
    async def get(self, namespace, key):
        return await super().get("", f"{namespace}:{key}")

    async def put(self, namespace, key, value):
        await super().put("", f"{namespace}:{key}", value)


class FoldsCase(Honest):
    async def get(self, namespace, key):
        return await super().get(namespace.casefold(), key)

    async def put(self, namespace, key, value):
        await super().put(namespace.casefold(), key, value)


class KeepsText(Honest):
    async def put(self, namespace, key, value):
        await super().put(namespace, key, bytes(value).decode(errors="replace").encode())


class DropsEmpty(Honest):
    async def put(self, namespace, key, value):
        if value:
            await super().put(namespace, key, value)


class CutsLarge(Honest):
    async def put(self, namespace, key, value):
        await super().put(namespace, key, value[:65536])


class SharesTheBuffer(Honest):
    async def put(self, namespace, key, value):
        self._open().setdefault((namespace, key), value)

    async def get(self, namespace, key):
        found = self._open().get((namespace, key))
        return None if found is None else bytes(found)


class TakesOneAtATime(Honest):
    busy = False

    async def put(self, namespace, key, value):
        if self.busy:
            raise GepaError("busy")
        self.busy = True
        await asyncio.sleep(0)
        self.busy = False
        await super().put(namespace, key, value)


class LooksThenKeeps(Honest):
    def __init__(self, context):
        super().__init__(context)
        self.turn = 0

    async def get(self, namespace, key):
        self.turn += 1
        return b"%d" % self.turn if self.turn > 1 and await super().get(namespace, key) else None


class AnswersWhenClosed(Honest):
    async def close(self):
        pass


class ClosesOnce(Honest):
    async def close(self):
        self._open()
        await super().close()


class ClosesWhatWasUsed(Honest):
    used = False

    async def put(self, namespace, key, value):
        self.used = True
        await super().put(namespace, key, value)

    async def close(self):
        if not (self.used or self._kept is None):
            raise AttributeError("connection")
        await super().close()


class ListsEverything(Honest):
    async def values(self, namespace):
        for value in self._open().values():
            yield value


class ListsAPage(Honest):
    async def values(self, namespace):
        count = 0
        async for value in super().values(namespace):
            count += 1
            if count <= 100:
                yield value


class SeesTrouble(Honest):
    async def preflight(self):
        raise CacheCorruptError("all is lost")


class LeavesAThread(Honest):
    over = threading.Event()

    async def put(self, namespace, key, value):
        threading.Thread(target=self.over.wait, args=(3,), daemon=True).start()
        await super().put(namespace, key, value)


class ForgetsAtTheEnd(HonestShared):
    async def close(self):
        await super().close()
        self.path.unlink(missing_ok=True)


class ReadsAtTheBeginning(HonestShared):
    read = None

    def kept(self):
        now = super().kept()
        if self.read is None:
            self.read = now
        return self.read if self.readonly else now


class KeepsACopy(HonestShared):
    copy = None

    def kept(self):
        if self.copy is None or self.closed:
            self.copy = super().kept()
        return self.copy


class ReadonlyReadsNothing(HonestShared):
    def kept(self):
        return {} if self.readonly else super().kept()


class ReadonlyWrites(HonestShared):
    def __init__(self, context):
        super().__init__(context)
        self.readonly = False


class ReadonlySwallows(HonestShared):
    async def put(self, namespace, key, value):
        if not self.readonly:
            await super().put(namespace, key, value)


globals().update(
    mutants(
        TestHonest,
        {
            "test_what_was_put_is_given_back": [KeepsNothing],
            "test_what_was_never_put_is_none": [AnswersForAnotherKey, GivesEmptyForNone],
            "test_the_first_value_stays": [KeepsTheLast],
            "test_places_are_never_taken_for_one_another": [JoinsNames, FoldsCase],
            "test_any_bytes_come_back_as_they_were": [KeepsText, DropsEmpty],
            "test_a_value_of_some_size_comes_back_whole": [CutsLarge],
            "test_a_value_is_a_copy": [SharesTheBuffer],
            "test_many_calls_at_once_all_get_through": [TakesOneAtATime],
            "test_of_values_put_at_once_one_stays": [LooksThenKeeps],
            "test_closing_may_be_repeated_and_ends_the_use": [AnswersWhenClosed, ClosesOnce],
            "test_closing_one_that_was_never_used_is_fine": [ClosesWhatWasUsed],
            "test_a_listing_gives_the_values_of_one_namespace": [ListsEverything, ListsAPage],
            "test_it_looks_before_it_is_needed": [SeesTrouble],
            "test_closing_leaves_nothing_running": [LeavesAThread],
        },
    )
)
globals().update(
    mutants(
        TestHonestShared,
        {
            "test_values_outlive_the_cache": [ForgetsAtTheEnd],
            "test_two_that_are_open_see_what_the_other_puts": [KeepsACopy],
            "test_readonly_reads_what_is_there": [ReadonlyReadsNothing],
            "test_readonly_sees_what_another_puts_meanwhile": [ReadsAtTheBeginning],
            "test_readonly_refuses_to_keep_anything": [ReadonlyWrites, ReadonlySwallows],
        },
    )
)
