"""The lineage as a tree that reads downwards: each candidate on a line of its own, below its parent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import attrs
import svg

from gepa_framework.app.inspect.candidates import Candidate
from gepa_framework.app.report import shapes

_ROW, _STEP, _LEFT, _TOP = 26, 18, 14, 18
#: So many candidates are drawn; rejected ones only where all of them fit.
MOST = 80


@attrs.frozen
class Node:
    """A candidate in its place.

    Attributes:
        candidate: The candidate.
        row: Its line, from 0.
        depth: Steps from the seed.
    """

    candidate: Candidate
    row: int
    depth: int


@attrs.frozen
class Tree:
    """A lineage, laid out.

    Attributes:
        nodes: By candidate, in the order of their lines.
        left_out: Candidates that are not drawn.
    """

    nodes: Mapping[str, Node]
    left_out: int


def lineage_tree(candidates: Sequence[Candidate], best: str) -> Tree:
    """Lay the lineage out."""
    shown = candidates if len(candidates) <= MOST else [each for each in candidates if each.pooled]
    if len(shown) > MOST:
        shown = _chosen(shown, best)
    nodes: dict[str, Node] = {}
    for candidate, depth in _downwards(shown):
        nodes[candidate.candidate_id] = Node(candidate, len(nodes), depth)
    return Tree(nodes, len(candidates) - len(nodes))


def _chosen(candidates: Sequence[Candidate], best: str) -> Sequence[Candidate]:
    """Take the best one's line to the seed, the frontier, and the latest, as many as fit."""
    known = {each.candidate_id: each for each in candidates}
    kept: dict[str, None] = {}
    at = known.get(best)
    while at is not None and at.candidate_id not in kept:
        kept[at.candidate_id] = None
        at = known.get(at.parent_ids[0]) if at.parent_ids else None
    rest = sorted(candidates, key=lambda each: (not each.survivor, -each.number))
    kept |= {each.candidate_id: None for each in rest[: max(MOST - len(kept), 0)]}
    return [each for each in candidates if each.candidate_id in list(kept)[:MOST]]


def _downwards(candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, int]]:
    """Give everybody below their first parent that is shown; without recursion, lines can be long."""
    known = {each.candidate_id for each in candidates}
    children: dict[str, list[Candidate]] = defaultdict(list)
    for each in candidates:
        children[next((name for name in each.parent_ids if name in known), "")].append(each)
    waiting = [(each, 0) for each in reversed(children[""])]
    while waiting:
        candidate, depth = waiting.pop()
        yield candidate, depth
        waiting += [(each, depth + 1) for each in reversed(children[candidate.candidate_id])]


def draw_tree(tree: Tree, best: str) -> str:
    """Draw a lineage."""
    deepest = max((node.depth for node in tree.nodes.values()), default=0)
    step = min(_STEP, 150 / max(deepest, 1))
    elements = [*_edges(tree, step), *_marks(tree, best, step)]
    height = _TOP + _ROW * max(len(tree.nodes), 1)
    width = max(_LEFT + step * deepest + 230, 370)
    return shapes.picture(width, height, elements, label="Lineage of the candidates", style="tree")


def _place(node: Node, step: float) -> tuple[float, float]:
    return _LEFT + step * node.depth, _TOP + _ROW * node.row


def _edges(tree: Tree, step: float) -> Iterator[svg.Element]:
    for node in tree.nodes.values():
        parents = [tree.nodes[name] for name in node.candidate.parent_ids if name in tree.nodes]
        for number, parent in enumerate(parents):
            yield shapes.curl(_place(parent, step), _place(node, step), "merged" if number else "edge")


def _marks(tree: Tree, best: str, step: float) -> Iterator[svg.Element]:
    for node in tree.nodes.values():
        each = node.candidate
        x, y = _place(node, step)
        score = each.pareto.score if each.pareto else None
        told = f"{score:.3f}" if score is not None else each.status
        style = "node"
        for name, holds in (
            ("best", each.candidate_id == best),
            ("front", each.survivor),
            ("rejected", each.status == "rejected"),
        ):
            style += f" {name}" if holds else ""
        yield shapes.dot(x, y, 6, style, told=f"{each.candidate_id}: {told}, iteration {each.iteration}")
        yield shapes.text(x + 13, y + 4, each.candidate_id, style=f"name {style}")
        yield shapes.text(x + 160, y + 4, told, style="value")
