from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from gepa_framework.runtime import standstill_told

TOLD = "gepa_framework.runtime.standstill"


class Lines(logging.Handler):
    """Keeps what is logged, and tells when there are so many lines."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._count = count
        self.there = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        if len(self.lines) >= self._count:
            self.there.set()


@pytest.fixture
def lines():
    handler = Lines(3)
    logger = logging.getLogger(TOLD)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def watchdogs() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "gepa-standstill"]


def test_whoever_keeps_the_loop_is_named_less_and_less_often(lines):
    async def stand_still() -> None:
        with standstill_told(0.02, lambda module: "their plugin" if module == __name__ else ""):
            assert lines.there.wait(20)

    asyncio.run(stand_still())
    heads = [line.split(":")[0] for line in lines.lines[:3]]
    assert heads == [f"nothing has moved for {seconds} s" for seconds in ("0.02", "0.04", "0.08")]
    assert all("their plugin does not give the thread back (" in line for line in lines.lines)


def test_where_it_is_nobodys_the_place_alone_is_told(lines):
    async def stand_still() -> None:
        with standstill_told(0.02, lambda _: ""):
            assert lines.there.wait(20)

    asyncio.run(stand_still())
    assert "the thread is not given back (" in lines.lines[0]
    assert "threading.py:" in lines.lines[0]


def test_the_watch_goes_on_while_the_loop_turns_and_ends_with_its_block():
    async def turn() -> None:
        with standstill_told(0.02, lambda _: ""):
            (watchdog,) = watchdogs()
            for _ in range(5):
                # So long as the loop turns, each sign of life is answered.
                turned = asyncio.Event()
                asyncio.get_running_loop().call_later(0.02, turned.set)
                await turned.wait()
        await asyncio.to_thread(watchdog.join, 20)
        assert not watchdog.is_alive()

    asyncio.run(turn())


def test_a_loop_that_is_closed_meanwhile_is_no_matter():
    loop = asyncio.new_event_loop()

    async def begin() -> tuple[object, threading.Thread]:
        block = standstill_told(0.02, lambda _: "")
        block.__enter__()
        (watchdog,) = watchdogs()
        return block, watchdog

    block, watchdog = loop.run_until_complete(begin())
    loop.close()
    watchdog.join(20)
    assert not watchdog.is_alive()
    del block
