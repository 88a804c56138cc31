"""Kills a run at one place after the other, and holds what it comes to against one that was left alone."""

from __future__ import annotations

import functools
import gc
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs
from tests.durability.sweep.children import KILLED, adopt_orphans, in_child, nobody_left
from tests.durability.sweep.findings import Findings, OnRecord
from tests.durability.sweep.scenarios import SCENARIOS, Scenario

from gepa_framework import GepaRun
from gepa_framework.plugins import Plugins
from gepa_framework.workspace import FAILPOINTS

#: A place, and the number of its passing, at which the process dies.
Point: TypeAlias = str


def install() -> None:
    """Offer the plugins that the runs select, look for plugins once and for all, and be ready to fork."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "site"))
    known = functools.cache(lambda require, block: discover(require=require, block=block))
    discover = Plugins.discover
    Plugins.discover = lambda require=(), block=(): known(tuple(require), tuple(block))
    adopt_orphans()


def directory() -> tempfile.TemporaryDirectory[str]:
    """Give a place to work at. In memory, a write that is waited for costs nothing."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    return tempfile.TemporaryDirectory(dir=place, prefix="gepa-sweep-")


def warm(base: Path) -> None:
    """Do here once all that children will do, so that they find everything imported."""
    for name in ("pipelined-rough", "rough"):
        sweep = Sweep(name, base / name)
        sweep.come_back()
        sweep.start()
        GepaRun.resume(sweep.run_dir, extend=["gepa.max_generations=5"]).execute()
        GepaRun.verify(sweep.run_dir)
        shutil.rmtree(sweep.base)
    # Children neither look through what is here nor copy its pages by counting references.
    gc.collect()
    gc.freeze()


def trace(work: Callable[[], object], note: Path) -> tuple[Point, ...]:
    """Give every point that is passed while a child does something."""
    passed: list[str] = []

    def watched() -> None:
        FAILPOINTS.act = passed.append
        work()
        note.write_text(json.dumps(passed))

    if in_child(watched):
        raise AssertionError("what nobody kills must end well")
    counts: Counter[str] = Counter()
    points = []
    for place in json.loads(note.read_text()):
        counts[place] += 1
        points.append(f"{place}:{counts[place]}")
    return tuple(points)


@attrs.define
class Sweep:
    """One scenario, in one directory that is used again and again.

    Attributes:
        name: The scenario.
        base: The directory; the run's is below it.
        whole: What the run comes to that is left alone.
        points: Every point that it passes.
        asked: The rollouts that it asks for.
        deaths: How often a child was killed so far.
    """

    name: str
    base: Path
    whole: Findings = attrs.field(init=False)
    points: tuple[Point, ...] = attrs.field(init=False)
    asked: frozenset[str] = attrs.field(init=False)
    deaths: int = attrs.field(init=False, default=0)
    _run: GepaRun = attrs.field(init=False)
    _record: OnRecord | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.base.mkdir(parents=True)
        (self.base / "gepa.toml").write_text(self.scenario.config())
        self._run = GepaRun.from_toml(self.base / "gepa.toml", environ={})
        if self.scenario.extended:
            self.start()
        self.keep("beginning")
        self.points = trace(self.go_on, self.base / "trace.json")
        GepaRun.verify(self.run_dir)
        self.whole = Findings.of(self.run_dir)
        self.asked = frozenset(self.log())

    @property
    def scenario(self) -> Scenario:
        return SCENARIOS[self.name]

    @property
    def window(self) -> int:
        """How many rollouts may be asked for again after a death."""
        return self.scenario.window

    @property
    def run_dir(self) -> Path:
        return self.base / "runs" / "killed"

    def log(self) -> list[str]:
        """Give the rollouts that were asked for, in their order."""
        path = self.base / "asked.log"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def keep(self, state: str) -> None:
        """Keep everything as it is, to come back to."""
        shutil.rmtree(self.base / state, ignore_errors=True)
        (self.base / state).mkdir()
        for name in ("runs", "asked.log"):
            _copy(self.base / name, self.base / state / name)

    def come_back(self, state: str = "beginning") -> None:
        """Bring everything to the state that points are counted from."""
        self._record = None
        shutil.rmtree(self.base / "runs", ignore_errors=True)
        (self.base / "asked.log").unlink(missing_ok=True)
        for name in ("runs", "asked.log"):
            _copy(self.base / state / name, self.base / name)

    def start(self) -> None:
        self._run.execute()

    def go_on(self) -> None:
        """Start the run, or take it up where it is, as somebody would who types the same command again."""
        if not (self.run_dir / "workspace.sqlite").exists():
            self.start()
            return
        run = GepaRun.resume(self.run_dir)
        argument = f"gepa.max_generations={self.scenario.extended}"
        if self.scenario.extended and argument not in run.extensions:
            run = GepaRun.resume(self.run_dir, extend=[argument])
        run.execute()

    def resume_points(self, point: Point) -> tuple[Point, ...]:
        """Kill a run, keep the state under the point's name, and give the points of what follows."""
        self.come_back()
        self.leg(lambda: self.die(point))
        self.keep(point)
        return trace(self.go_on, self.base / "trace.json")

    def die(self, point: Point, killed_after: float | None = None) -> int:
        """Go on in a child that is killed, and give how it ended."""

        def work() -> None:
            FAILPOINTS.arm(point)
            self.go_on()

        end = in_child(work, killed_after=killed_after)
        self.deaths += end == KILLED
        return end

    def leg(self, work: Callable[[], int | None]) -> list[str]:
        """Go on until the end or a death, and give what is wrong with how it ended and what it asked."""
        record = self._record or OnRecord.of(self.run_dir)
        before = self.log()
        end = work() or 0
        now, earlier = self.log()[len(before) :], frozenset(before)
        problems = [
            f"{name} is asked for again, which is on record" for name in now if name in record.answered
        ]
        again = {name for name in now if name in earlier}
        if len(again) > self.window:
            problems.append(f"{len(again)} rollouts were asked for again")
        # Commits depend on what comes in while another is written: the last point may be passed by none.
        if end not in (KILLED, 0):
            problems.append(f"it ended with {end}")
        self._record = OnRecord.of(self.run_dir)
        if self._record.feed[: len(record.feed)] != record.feed:
            problems.append("what was on record changed")
        return problems

    def check(
        self, points: Sequence[Point], *, state: str = "beginning", killed_after: float | None = None
    ) -> list[str]:
        """Kill at each point in turn, go on to the end, and give what is wrong.

        Args:
            points: Where to die; the second is counted from the first death.
            state: What was kept, to begin with.
            killed_after: Seconds after which to be killed, wherever that is.
        """
        self.come_back(state)
        problems: list[str] = []
        if killed_after is not None:
            problems += self.leg(lambda: self.die("", killed_after))
        for point in points:
            problems += self.leg(functools.partial(self.die, point))
        return problems + self.finish()

    def finish(self) -> list[str]:
        """Go on to the end, and give what is wrong."""
        problems: list[str] = []
        try:
            problems += self.leg(self.go_on)
            problems += self._compare()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told with the point that led to it
            problems.append(f"{type(error).__name__}: {error}")
        if not nobody_left():
            problems.append("a process is left behind")
        return problems

    def _compare(self) -> list[str]:
        found, whole = Findings.of(self.run_dir), self.whole
        problems = [f"{name} is left behind" for name in found.strays]
        problems += [f"the manifest is wrong about {path}" for path in found.wrong]
        if not self.scenario.ordered:
            GepaRun.verify(self.run_dir)
            return problems
        kinds = ("normalised", "books", "texts")
        differing = [kind for kind in kinds if getattr(found, kind) != getattr(whole, kind)]
        differing += [key for key, text in whole.exports.items() if found.exports[key] != text]
        problems += [f"{key} differs from that of the whole run" for key in differing]
        # A cache that loses a write has a question asked once more, for another rollout.
        strange = () if self.scenario.cached else frozenset(self.log()) - self.asked
        return problems + [f"{name} is no rollout of the whole run" for name in strange]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, target)
