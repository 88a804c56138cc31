from __future__ import annotations

import asyncio
import json

import attrs
import pytest

from gepa_framework.engine import Describe, LoadProgram, LoadRows
from gepa_framework.errors import CacheCorruptError, CacheMissError
from gepa_framework.runtime import CacheMode, nearest
from gepa_framework.runtime.outlines import Outlines, brief
from gepa_framework.types import EvidenceFrame, RowsRequest

LONG = "a text that is told by its digest, because it stands elsewhere in full"


class Listed:
    """A cache that can be listed."""

    def __init__(self):
        self.kept = {}

    async def get(self, namespace, key):
        return self.kept.get((namespace, key))

    async def put(self, namespace, key, value):
        self.kept.setdefault((namespace, key), value)

    async def values(self, namespace):
        for place, value in self.kept.items():
            if place[0] == namespace:
                yield value

    async def close(self): ...


@pytest.fixture
def miss(kit):
    """Have some commands answered and kept, and give the words of the miss of another."""

    def miss(known, command, *, cache=None, asked=None, **options):
        cache = cache or Listed()

        async def main():
            writer = kit.performer(cache=cache, mode=CacheMode.READWRITE, **options)
            for each in known:
                await writer.perform(each, again=False)
            await writer.cache.settle()
            reader = kit.performer(cache=cache, mode=CacheMode.READONLY, **{**options, **(asked or {})})
            with pytest.raises(CacheMissError) as caught:
                await reader.perform(command, again=False)
            return caught.value.message

        return asyncio.run(main())

    return miss


def told(message):
    return message.partition("is read-only: ")[2]


def test_another_policy_is_named_with_both_values(kit, miss):
    command = kit.rollout()
    said = miss(
        [command], command, policy={"model": "m", "t": 0.0}, asked={"policy": {"model": "m", "t": 0.7}}
    )
    assert "the cache has no container.rollout " in said
    assert " in namespace 'space' and is read-only: " in said
    assert told(said) == "the nearest of 1 known requests differs in policy.t: 0.7 is asked, 0.0 is known"


def test_a_setting_that_is_new_is_told_beside_nothing(kit, miss):
    command = kit.rollout()
    more = miss([command], command, policy={"a": 1}, asked={"policy": {"a": 1, "b": [2]}})
    less = miss([command], command, policy={"a": 1, "b": [2]}, asked={"policy": {"a": 1}})
    first = miss([command], command, policy={}, asked={"policy": {"b": [2]}})
    assert told(first).endswith("differs in policy.b[0]: 2 is asked, nothing is known")
    assert told(more).endswith("differs in policy.b[0]: 2 is asked, nothing is known")
    assert told(less).endswith("differs in policy.b[0]: nothing is asked, 2 is known")


def test_of_many_the_one_that_differs_least_is_told(kit, miss):
    known = [kit.rollout(f"train:{n}", text) for n in range(3) for text in ("1 " * 12, "2 " * 12)]
    said = told(miss(known, kit.rollout("train:2", "3 " * 12)))
    assert said.startswith('the nearest of 6 known requests differs in candidate.skills: "sha256:')
    assert ' is asked, "sha256:' in said
    assert said.endswith(" is known")


def test_another_row_is_named_by_its_id(kit, miss):
    said = told(miss([kit.rollout("train:1")], kit.rollout("train:2")))
    assert said.endswith('differs in row.id: "train:2" is asked, "train:1" is known')


def test_a_row_that_the_container_changed_is_told_by_its_data(kit, miss):
    command = kit.rollout()
    changed = attrs.evolve(command, row=attrs.evolve(command.row, data={"topic": 2}))
    assert "differs in row.data: " in told(miss([command], changed))


def test_rows_are_told_one_by_one(miss):
    known, asked = (LoadRows("r", RowsRequest("train", seeds=seeds)) for seeds in ((1, 2, 3), (1, 4)))
    said = told(miss([known], asked))
    assert said.endswith("differs in seeds[1]: 4 is asked, 2 is known, and in 1 more")


def test_another_proposer_setting_or_request_is_told(kit, miss):
    command = kit.propose()
    said = told(miss([command], command, settings={"model": "m"}, asked={"settings": {"model": "n"}}))
    assert said.endswith('differs in config.model: "n" is asked, "m" is known')
    frame = EvidenceFrame("train:7", {"query": LONG}, 0.5, "out")
    known, asked = (
        kit.propose(evidence=(each,)) for each in (frame, attrs.evolve(frame, reward=1.0, output="other"))
    )
    said = told(miss([known], asked))
    assert "differs in request.evidence[0].kind" in said or "request.evidence[0].output" in said
    assert "and in " in said


def test_nothing_that_is_known_is_said_too(kit, miss):
    said = miss([kit.rollout()], kit.propose())
    assert told(said) == "nothing of the kind is known there"
    assert told(miss([], Describe("x"))) == "nothing of the kind is known there"


def test_a_value_that_tells_nothing_of_its_request_is_left_out(kit, miss):
    cache = Listed()
    for number, value in enumerate((b"", b"\xff", b"[]", b"{}", b'{"request": 3}', b'{"request": null}')):
        cache.kept["space:container.rollout", str(number)] = value
    assert told(miss([], kit.rollout(), cache=cache)) == "nothing of the kind is known there"


def test_a_cache_that_cannot_be_listed_tells_the_miss_alone(kit, miss):
    said = miss([kit.rollout("train:1")], kit.rollout("train:2"), cache=kit.MemoryCache())
    assert said.endswith(" in namespace 'space' and is read-only")


def test_a_listing_that_fails_does_not_hide_the_miss(kit, miss):
    class Torn(Listed):
        async def values(self, namespace):
            raise CacheCorruptError("moths")
            yield b""

    said = miss([kit.rollout("train:1")], kit.rollout("train:2"), cache=Torn())
    assert told(said) == "what comes near cannot be told: CacheCorruptError: moths"


def test_no_more_is_looked_at_than_there_is_time_for(kit, miss, monkeypatch):
    monkeypatch.setattr(nearest, "MOST", 3)
    known = [kit.rollout(f"train:{n}") for n in range(6)]
    assert told(miss(known, kit.rollout("train:9"))).startswith("the nearest of 3 known requests ")


def test_what_is_kept_beside_an_answer_holds_no_text_of_any_length(kit):
    async def main():
        cache = Listed()
        performer = kit.performer(cache=cache, mode=CacheMode.READWRITE, policy={"system": LONG})
        command = kit.rollout()
        row = attrs.evolve(command.row, data={"topic": 1, "difficulty": 2, "text": LONG})
        await performer.perform(attrs.evolve(command, row=row), again=False)
        await performer.cache.settle()
        return cache.kept

    (value,) = asyncio.run(main()).values()
    assert LONG.encode() not in value
    assert len(json.dumps(json.loads(value)["request"])) < 300


def test_texts_are_told_apart_by_their_digests():
    assert brief("short") == "short"
    assert str(brief(LONG)).startswith("sha256:")
    assert brief(LONG) != brief(f"{LONG}!")
    assert brief({"a": {"b": {"c": {"d": 1}}}}) != brief({"a": {"b": {"c": {"d": 2}}}})
    assert brief({"a": [], "b": {}, "c": None}) == {"a": [], "b": {}, "c": None}
    assert brief("\ud800" * 100)


def test_an_outline_is_the_same_after_it_was_kept(kit):
    outlines = Outlines("fake", {"models": ("a", "b")}, {"stop": (), "t": 0})
    rows = RowsRequest("train", seeds=(1,), filters={"tags": ("x",)})
    for command in (kit.rollout(), kit.propose(), LoadRows("r", rows), Describe("d"), LoadProgram("p")):
        outline = outlines.of(command)
        kept = json.loads(json.dumps(outline))
        assert nearest.difference(outline, kept) is None
