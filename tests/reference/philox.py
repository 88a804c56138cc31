"""Philox 4x32-10 and what is drawn from it, by their definitions."""

from __future__ import annotations

from fractions import Fraction

MASK = 0xFFFFFFFF


def block(counter, key):
    a, b, c, d = counter
    k, m = key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k, q & MASK, (p >> 32) ^ d ^ m, p & MASK
        k, m = (k + 0x9E3779B9) & MASK, (m + 0xBB67AE85) & MASK
    return a, b, c, d


def words(seed, stream, index):
    place = 0
    while True:
        counter = (place, stream, index & MASK, index >> 32)
        yield from block(counter, (seed & MASK, seed >> 32))
        place += 1


def below(source, n):
    """Lemire's bounded draw out of one word a try, for n below 2**32."""
    while True:
        product = next(source) * n
        if product & MASK >= 2**32 % n:
            return product >> 32


def shuffle(source, n):
    order = list(range(n))
    for left in range(n, 1, -1):
        other = below(source, left)
        order[left - 1], order[other] = order[other], order[left - 1]
    return order


def minibatch(seed, index, rows, size):
    epoch, batch = divmod(index, -(-rows // size))
    order = shuffle(words(seed, 2, epoch), rows)
    return (order + order)[batch * size :][: min(size, rows)]


def uniform(source):
    low = next(source)
    return ((next(source) << 32 | low) >> 11) / 2**53


def choice(source, weights):
    target, total = uniform(source), 0.0
    for weight in weights:
        total += weight
    target, passed, last = target * total, 0.0, 0
    for i, weight in enumerate(weights):
        if weight > 0:
            passed += weight
            last = i
            if target < passed:
                return i
    return last


def batch_of(order, index, size):
    batch = index % -(-len(order) // size)
    return (order + order)[batch * size :][: min(size, len(order))]


def stratified_minibatch(seed, index, strata, size):
    source = words(seed, 2, index // -(-len(strata) // size))
    names = sorted(set(strata))
    turns = shuffle(source, len(names))
    places = []
    for turn, name in zip(turns, names, strict=True):
        rows = [row for row, stratum in enumerate(strata) if stratum == name]
        order = shuffle(source, len(rows))
        places += [(Fraction(2 * i + 1, len(rows)), turn, rows[at]) for i, at in enumerate(order)]
    return batch_of([row for _, _, row in sorted(places)], index, size)


def failure_weighted_minibatch(seed, index, misses, size, floor):
    source = words(seed, 2, index)
    weights = [floor + (1 - floor) * miss for miss in misses]
    batch = []
    while len(batch) < min(size, len(misses)):
        batch.append(choice(source, weights))
        weights[batch[-1]] = 0.0
    return batch
