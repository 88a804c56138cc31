"""The distribution of each selection rule by its definition, in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from tests.reference.frontier import irredundant, weights


def top_weights(frontier, k):
    means = frontier.means()
    top = sorted(range(len(means)), key=lambda i: -means[i])[:k]
    fronts = {c: [i for i in members if i in top] for c, members in frontier.fronts().items()}
    fronts = {c: members for c, members in fronts.items() if members}
    kept = irredundant(fronts, means)
    return weights({c: [i for i in members if i in kept] for c, members in fronts.items()})


def rule_weights(frontier, rule, k):
    if rule == "pareto":
        return frontier.weights()
    return weights(frontier.fronts()) if rule == "pareto_unpruned" else top_weights(frontier, k)


def distribution(frontier, rule, *, epsilon=Fraction(0), k=5, best_floor=Fraction(0), batch=10):
    best, size = frontier.best(), len(frontier.rows)
    if rule == "current_best":
        return {best: Fraction(1)}
    if rule == "epsilon_greedy":
        return nonzero({i: epsilon / size + (i == best) * (1 - epsilon) for i in range(size)})
    if rule == "batch_lexicase":
        return nonzero(lexicase(frontier, list(range(size)), set(range(cells(frontier))), batch))
    found = dict(rule_weights(frontier, rule, k)) or {best: 1}
    return nonzero(lifted({i: Fraction(w, sum(found.values())) for i, w in found.items()}, best, best_floor))


def cells(frontier):
    count = len(frontier.signs)
    kinds = {
        "objective": count,
        "hybrid": frontier.instances + count,
        "cartesian": frontier.instances * count,
    }
    return kinds.get(frontier.kind, frontier.instances)


def lifted(chances, best, floor):
    mine = chances.get(best, Fraction(0))
    if mine >= floor or mine == 1:
        return chances
    rest = {i: chance * (1 - floor) / (1 - mine) for i, chance in chances.items() if i != best}
    return rest | {best: floor}


def nonzero(chances):
    return {i: chance for i, chance in sorted(chances.items()) if chance}


def lexicase(frontier, alive, left, batch):
    if len(alive) == 1 or not left:
        return {i: Fraction(1, len(alive)) for i in alive}
    batches = list(combinations(sorted(left), min(batch, len(left))))
    found = dict.fromkeys(alive, Fraction(0))
    for taken in batches:
        rest = lexicase(frontier, best_on(frontier, alive, taken), left - set(taken), batch)
        for i, chance in rest.items():
            found[i] += chance / len(batches)
    return found


def best_on(frontier, alive, taken):
    means = {}
    for i in alive:
        scores = frontier.cell_scores(i)
        values = [Fraction(scores[cell]) for cell in taken if cell in scores]
        if values:
            means[i] = sum(values) / len(values)
    if not means:
        return alive
    return [i for i in alive if means.get(i) == max(means.values())]
