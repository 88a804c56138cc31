from __future__ import annotations

import itertools

import pytest

from gepa_framework.errors import InterruptedRunError
from gepa_framework.types import Stage


def test_a_resumed_run_counts_on_from_where_its_clock_stood(kit, stand, monkeypatch):
    seconds = itertools.count()
    monkeypatch.setattr("gepa_framework.runtime.driver.time.monotonic", lambda: float(next(seconds)))

    async def interrupt(request):
        if request.stage is Stage.CHILD:
            run.driver.interrupt()

    run = stand(transport=kit.Transport(interrupt))
    with pytest.raises(InterruptedRunError):
        run.go()
    before = [stored.elapsed_us for stored in run.stored()]
    run.transport = kit.Transport()
    run.go()
    after = [stored.elapsed_us for stored in run.stored()][len(before) :]
    assert before[-1] > 0
    assert after == sorted(set(after))
    assert after[0] > before[-1]
