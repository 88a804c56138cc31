"""Merge by its definition: every triple that may be merged, and what the child is made of."""

from __future__ import annotations


def ancestors(parents, candidate):
    found, waiting = set(), [candidate]
    while waiting:
        for parent in parents[waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def triples(frontier, parents, texts, overlap):
    """Give every (first, second, ancestor) of the survivors that fits."""
    survivors = frontier.survivors()
    found = set()
    for first in survivors:
        for second in survivors:
            both = set(frontier.rows[first]) & set(frontier.rows[second])
            if first < second and len(both) >= overlap:
                found |= {(first, second, a) for a in fitting(frontier, parents, texts, first, second)}
    return found


def fitting(frontier, parents, texts, first, second):
    ours, theirs = ancestors(parents, first), ancestors(parents, second)
    if first in theirs or second in ours:
        return set()
    return {
        a
        for a in ours & theirs
        if frontier.mean(a) <= min(frontier.mean(first), frontier.mean(second))
        and any(x != y and z in (x, y) for x, y, z in zip(texts[first], texts[second], texts[a], strict=True))
    }


def sources(frontier, texts, first, second, ancestor):
    """Give for each component the owners that its text may be from."""
    ours, theirs = frontier.mean(first), frontier.mean(second)
    better = {first} if ours > theirs else {second} if theirs > ours else {first, second}
    found = []
    for x, y, z in zip(texts[first], texts[second], texts[ancestor], strict=True):
        if x == y:
            found.append({first})
        elif z in (x, y):
            found.append({second} if z == x else {first})
        else:
            found.append(better)
    return found
