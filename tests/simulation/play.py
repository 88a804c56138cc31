"""Playing one schedule, with everything that is asked of it."""

from __future__ import annotations

from tests.simulation.driver import Simulation
from tests.simulation.schedules import schedule

from gepa_framework.engine import Machine


def play(seed: int) -> Simulation:
    """Drive a schedule through its mishaps to the end, and hold its record against a replay.

    A run without overlap has one story, whatever happens to its process and whatever order its rollouts come
    in: it is held against the same run without mishaps.
    """
    given = schedule(seed)
    simulation = Simulation(given).run()
    machine = Machine(given.plan, given.stoppers())
    for entry in simulation.journal:
        entry.replay(machine)
    if given.plan.pipelining.in_flight == 1 and given.cancel is None and given.plan.limits.seconds is None:
        calm = Simulation(given, mishaps=False, in_order=True).run()
        assert story(calm) == story(simulation), "mishaps changed the story"
    return simulation


def story(simulation: Simulation) -> list[object]:
    """Give everything that is on record, in its order."""
    return [body for entry in simulation.journal for body in entry.events]
