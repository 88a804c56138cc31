"""A world in which everything happens that a run may meet; copied beside the plugins that are made of it."""

from __future__ import annotations

import asyncio
import hashlib

from gepa_framework.errors import ProposerError
from gepa_framework.types import (
    ComponentSpec,
    ContainerInfo,
    FailureKind,
    Program,
    Proposal,
    RolloutFailure,
    RolloutResult,
    TaskRow,
    Usage,
)

#: A text of more characters than that is echoed.
LONG = 254


def lot(*parts):
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()[0] / 256


class World:
    """Two components; a row is about one of them, and rewards its level. Ids have slashes in them."""

    def __init__(self):
        self.seen = set()

    async def describe(self):
        return ContainerInfo("parts", "fake/taskset")

    async def program(self):
        parts = (ComponentSpec("even"), ComponentSpec("odd"))
        seed = {"even": "s\u00e9ed \ud800 0", "odd": "0"}
        return Program("parts", "parts", parts, ("even", "odd"), seed)

    async def rows(self, request):
        split = request.split
        return [TaskRow(f"{split}/{seed}", split, {"seed": seed}, seed) for seed in request.seeds]

    async def rollout(self, request):
        key = (request.candidate.id, request.row.id)
        chance, first = lot(*key), key not in self.seen
        self.seen.add(key)
        for _ in range(int(40 * chance)):
            await asyncio.sleep(0)  # outcomes come in another order than they were asked for
        if first and chance < 0.2:
            used = Usage(10, 1, 11)
            return RolloutFailure(FailureKind.TIMEOUT, "slow", "too long", retryable=True, usage=used)
        if chance > 0.93:
            return RolloutFailure(FailureKind.CONTAINER, "unlucky", "fell", usage=Usage(5, 0, 5))
        return self.scored(request, request.row.seed)

    def scored(self, request, seed):
        text = request.candidate.components["odd" if seed % 2 else "even"]
        level = int(text.split()[-1])
        objectives = {"solved": level / 10, "effort": 1 + level % 3 + seed / 100}
        if seed % 3 == 0:
            del objectives["effort"]
        said = text if len(text) > LONG else f"level {level}"
        return RolloutResult(
            reward=level / 10 + (seed % 2) / 20,
            objectives=objectives,
            metrics={"level": level},
            output={"level": level} if level % 2 else said,
            feedback={"short": level < 5, "by": 5 - level, "why": ["a", "b"]},
            usage=Usage(100 + level, 10, 110 + level, model="small"),
            trace_digest="ab" * 32,
            rationales={"solved": f"level {level}", "reward": "half of it", "style": "neat"},
            side_info={"hint": "raise it"},
        )

    async def close(self): ...


class Improve:
    """Raises a level; now and then lowers it, changes nothing, answers badly, or fails."""

    async def propose(self, request):
        name, usage, chance = request.components[0], Usage(1000, 100, 1100, 0.001), lot(request.seed)
        if request.repair is None and chance < 0.2:
            return Proposal({"nobody": "x"}, usage=usage, model="writer")
        if chance > 0.95:
            return self.fail(usage)
        if chance > 0.9:
            return Proposal({}, usage=usage, model="writer")
        words = request.parent.components[name].split()
        words[-1] = str(int(words[-1]) + (1 if chance < 0.8 else -1))
        why = f"go to {words[-1]}" * len(words[: 1 if len(words) < LONG // 4 else None])
        return Proposal({name: " ".join(words)}, why, usage, "writer", {"seed": request.seed})

    def fail(self, usage):
        raise ProposerError("out of ideas")

    async def close(self): ...


class Steady(Improve):
    """Says what it took whatever happens."""

    def fail(self, usage):
        return Proposal({}, usage=usage, model="writer")
