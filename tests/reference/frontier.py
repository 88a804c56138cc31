"""The frontier by its definition: plain, slow, exact by way of fractions."""

from __future__ import annotations

from fractions import Fraction


def exact_mean(values):
    return float(sum(map(Fraction, values))) / len(values)


class ReferenceFrontier:
    def __init__(self, instances, kind="instance", directions=()):
        self.instances = instances
        self.kind = kind
        self.signs = [-1 if direction == "minimize" else 1 for direction in directions]
        self.rows = []
        self.objectives = []

    def add(self, scores, instances=None, objectives=None):
        self.rows.append({})
        self.objectives.append({})
        candidate = len(self.rows) - 1
        self._put(candidate, scores, instances, objectives)
        held = {i: members for i, members in self.fronts().items() if candidate in members}
        improved = [i for i, members in held.items() if members == [candidate]]
        return candidate, improved, [i for i in held if i not in improved]

    def extend(self, candidate, scores, instances=None, objectives=None):
        before, fronts = self.bests(), self.fronts()
        self._put(candidate, scores, instances, objectives)
        after, now = self.bests(), self.fronts()
        held = {cell for cell, members in fronts.items() if candidate in members}
        holds = {cell for cell, members in now.items() if candidate in members}
        risen = {cell for cell in holds if cell not in before or after[cell] > before[cell]}
        changed = {cell for cell in holds if (cell not in held) or before[cell] != after[cell]}
        changed |= {cell for cell in holds & held if len(now[cell]) != len(fronts[cell])}
        improved = sorted(cell for cell in changed & risen if now[cell] == [candidate])
        tied = sorted(cell for cell in changed if len(now[cell]) > 1)
        return candidate, improved, tied, sorted(held - holds)

    def _put(self, candidate, scores, instances, objectives):
        covered = range(self.instances) if instances is None else instances
        self.rows[candidate] |= dict(zip(covered, scores, strict=True))
        for instance, values in zip(covered, objectives or [()] * len(scores), strict=True):
            for objective, value in enumerate(values):
                if value is not None:
                    self.objectives[candidate][instance, objective] = self.signs[objective] * value

    def objective_mean(self, candidate, objective):
        """Larger is better."""
        values = [v for (_, o), v in self.objectives[candidate].items() if o == objective]
        return exact_mean(values) if values else None

    def cell_scores(self, candidate):
        count = len(self.signs)
        means = {o: self.objective_mean(candidate, o) for o in range(count)}
        means = {o: mean for o, mean in means.items() if mean is not None}
        if self.kind == "objective":
            return means
        if self.kind == "hybrid":
            return self.rows[candidate] | {self.instances + o: mean for o, mean in means.items()}
        if self.kind == "cartesian":
            return {i * count + o: value for (i, o), value in self.objectives[candidate].items()}
        return self.rows[candidate]

    def total(self, candidate):
        return float(sum(map(Fraction, self.rows[candidate].values())))

    def mean(self, candidate):
        return self.total(candidate) / len(self.rows[candidate])

    def coverage(self, candidate):
        return len(self.rows[candidate])

    def best(self):
        ranked = [(self.mean(i), self.coverage(i), -i) for i in range(len(self.rows))]
        return -max(ranked)[2]

    def best_of(self, objective):
        ranked = [
            (mean, sum(o == objective for _, o in self.objectives[i]), -i)
            for i in range(len(self.rows))
            if (mean := self.objective_mean(i, objective)) is not None
        ]
        return -max(ranked)[2] if ranked else None

    def bests(self):
        best = {}
        for i in range(len(self.rows)):
            for cell, score in self.cell_scores(i).items():
                best[cell] = max(score, best.get(cell, score))
        return best

    def cell_best(self, cell):
        return self.bests().get(cell)

    def members(self, cell):
        return self.fronts().get(cell, [])

    def fronts(self):
        best = self.bests()
        fronts = {cell: [] for cell in sorted(best)}
        for i in range(len(self.rows)):
            for cell, score in self.cell_scores(i).items():
                if score == best[cell]:
                    fronts[cell].append(i)
        return fronts

    def means(self):
        return [self.mean(i) for i in range(len(self.rows))]

    def survivors(self):
        return irredundant(self.fronts(), self.means())

    def reduced_fronts(self):
        kept = self.survivors()
        return {i: [m for m in members if m in kept] for i, members in self.fronts().items()}

    def weights(self):
        return weights(self.reduced_fronts())


def weights(fronts):
    held = {i for members in fronts.values() for i in members}
    return [(i, sum(i in members for members in fronts.values())) for i in sorted(held)]


def irredundant(fronts, means):
    """Remove the weakest candidate that is spare in each of its fronts, and start over, until none is."""
    alive = sorted({i for members in fronts.values() for i in members}, key=lambda i: (means[i], i))
    while True:
        spare = next((i for i in alive if _is_spare(i, fronts, alive)), None)
        if spare is None:
            return sorted(alive)
        alive.remove(spare)


def _is_spare(candidate, fronts, alive):
    return all(
        any(other != candidate and other in alive for other in members)
        for members in fronts.values()
        if candidate in members
    )
