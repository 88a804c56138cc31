"""The frontier by its definition: plain, slow, exact by way of fractions."""

from __future__ import annotations

from fractions import Fraction


class ReferenceFrontier:
    def __init__(self, instances):
        self.instances = instances
        self.rows = []

    def add(self, scores, instances=None):
        covered = range(self.instances) if instances is None else instances
        self.rows.append(dict(zip(covered, scores, strict=True)))
        candidate = len(self.rows) - 1
        held = {i: members for i, members in self.fronts().items() if candidate in members}
        improved = [i for i, members in held.items() if members == [candidate]]
        return candidate, improved, [i for i in held if i not in improved]

    def total(self, candidate):
        return float(sum(map(Fraction, self.rows[candidate].values())))

    def mean(self, candidate):
        return self.total(candidate) / len(self.rows[candidate])

    def coverage(self, candidate):
        return len(self.rows[candidate])

    def best(self):
        ranked = [(self.mean(i), self.coverage(i), -i) for i in range(len(self.rows))]
        return -max(ranked)[2]

    def cell_best(self, instance):
        return max((row[instance] for row in self.rows if instance in row), default=None)

    def members(self, instance):
        best = self.cell_best(instance)
        return [i for i, row in enumerate(self.rows) if instance in row and row[instance] == best]

    def fronts(self):
        return {i: self.members(i) for i in range(self.instances) if self.members(i)}

    def survivors(self):
        return irredundant(self.fronts(), [self.mean(i) for i in range(len(self.rows))])

    def reduced_fronts(self):
        kept = self.survivors()
        return {i: [m for m in members if m in kept] for i, members in self.fronts().items()}

    def weights(self):
        fronts = self.reduced_fronts().values()
        return [(i, sum(i in members for members in fronts)) for i in self.survivors()]


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
