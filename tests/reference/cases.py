"""How many cases a property is held to, and the pools that frontiers are compared on.

`pytest tests/core --hypothesis-profile=thorough --timeout 1800` holds each one to THOROUGH cases instead.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from tests.reference.frontier import ReferenceFrontier

from gepa_framework._core import Frontier

THOROUGH = 10_000

GRADES = st.sampled_from([0.0, 0.25, 0.5, 1.0])
BINARY = st.sampled_from([0.0, 1.0])
FREE = st.floats(-1e6, 1e6, allow_nan=False)
KINDS = ["instance", "objective", "hybrid", "cartesian"]


def examples(count):
    thorough = settings.default.max_examples == THOROUGH
    return settings(max_examples=THOROUGH if thorough else count, deadline=None)


@st.composite
def steps(draw, kind, instances, objectives, score):
    """What is added to a frontier: (candidate or None, scores, instances, objectives)."""
    some = st.lists(st.integers(0, instances - 1), min_size=1, unique=True)
    everything = st.just(list(range(instances)))
    partial, extending = draw(st.booleans()), draw(st.booleans())
    done, covered = [], []
    for _ in range(draw(st.integers(1, 10))):
        named = draw(some if partial or extending else everything)
        candidate = draw(st.sampled_from([None, *range(len(covered))])) if extending else None
        if candidate is not None:
            named = [i for i in named if i not in covered[candidate]]
            if not named:
                continue
            covered[candidate] |= set(named)
        else:
            covered.append(set(named))
        scores = [draw(score) for _ in named]
        values = None
        if objectives and (kind != "instance" or draw(st.booleans())):
            values = [[draw(st.none() | score) for _ in range(objectives)] for _ in named]
            if kind != "instance" and all(v is None for row in values for v in row):
                values[0][0] = draw(score)
        done.append((candidate, scores, named, values))
    return done


@st.composite
def histories(draw, kinds=("instance",), instances=9):
    """A frontier's kind, instances and directions, and what is added to it."""
    kind = draw(st.sampled_from(kinds))
    count = draw(st.integers(1, instances))
    fewest = 0 if kind == "instance" else 1
    directions = draw(st.lists(st.sampled_from(["maximize", "minimize"]), min_size=fewest, max_size=3))
    score = draw(st.sampled_from([BINARY, GRADES, FREE]))
    return kind, count, directions, draw(steps(kind, count, len(directions), score))


def replayed(history):
    """Give both frontiers and what each step reported on either side."""
    kind, count, directions, done = history
    ours, theirs = Frontier(count, kind, directions), ReferenceFrontier(count, kind, directions)
    reports = []
    for candidate, scores, instances, objectives in done:
        if candidate is None:
            report = ours.add(scores, instances, objectives)
            expected = (*theirs.add(scores, instances, objectives), [])
        else:
            report = ours.extend(candidate, scores, instances, objectives)
            expected = theirs.extend(candidate, scores, instances, objectives)
        reports.append(((report.candidate, report.improved, report.tied, report.lost), expected))
    return ours, theirs, reports
