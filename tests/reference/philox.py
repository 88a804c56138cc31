"""Philox 4x32-10 and what is drawn from it, by their definitions."""

from __future__ import annotations

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
