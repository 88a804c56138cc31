from __future__ import annotations

import pytest

from gepa_framework.engine import Status
from gepa_framework.errors import GepaError


@pytest.mark.parametrize("answer", [True, "enough", 0])
def test_a_stopper_that_answers_anything_else_ends_the_run_with_its_name(toy, answer):
    class Wrong:
        def check(self, view):
            return answer

    game = toy.play(stoppers=[Wrong()])
    assert game.machine.status is Status.FAILED
    assert game.events[-1].error_code == "gepa_plugin_broken"
    assert "Wrong" in game.events[-1].message


def test_a_stopper_that_raises_ends_the_run_with_its_name(toy):
    class Raising:
        def check(self, view):
            raise ZeroDivisionError("by zero")

    game = toy.play(stoppers=[Raising()])
    assert isinstance(game.machine.failure, GepaError)
    assert game.events[-1].error_code == "gepa_plugin_broken"
    assert "Raising" in game.events[-1].message
    assert "ZeroDivisionError: by zero" in game.events[-1].message
