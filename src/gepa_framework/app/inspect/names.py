"""What candidates may be called: their ids, unique beginnings of them, ``seed`` and ``best``."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from gepa_framework.app.inspect.candidates import Candidate
from gepa_framework.app.inspect.overview import Best
from gepa_framework.errors import CandidateNotFoundError

_PREFIX = "gepa_"


def named(candidates: Sequence[Candidate], name: str, best: Best | None) -> Candidate:
    """Give the candidate that a name stands for.

    Args:
        candidates: All candidates of the run.
        name: An id or the beginning of one, with or without ``gepa_``; ``seed``; or ``best``.
        best: The best one, if there is one.

    Raises:
        CandidateNotFoundError: There is none, or more than one; the message says which there are.
    """
    if not candidates:
        raise CandidateNotFoundError("the run has no candidate yet")
    if name == "seed":
        return candidates[0]
    if name == "best":
        if best is None:
            raise CandidateNotFoundError(
                "the run has no best candidate yet: its seed is not evaluated", hint="name 'seed'"
            )
        name = best.candidate_id
    found = [each for each in candidates if each.candidate_id == name] or _beginning(candidates, name)
    if len(found) != 1:
        raise _none(candidates, name) if not found else _several(found, name)
    return found[0]


def _beginning(candidates: Sequence[Candidate], name: str) -> list[Candidate]:
    if not name:
        return []
    return [
        each
        for each in candidates
        if each.candidate_id.startswith(name) or each.candidate_id.removeprefix(_PREFIX).startswith(name)
    ]


def _several(found: Sequence[Candidate], name: str) -> CandidateNotFoundError:
    ids = ", ".join(each.candidate_id for each in found[:5])
    return CandidateNotFoundError(
        f"{len(found)} candidates begin with '{name}'", hint=f"write more of it: {ids}"
    )


def _none(candidates: Sequence[Candidate], name: str) -> CandidateNotFoundError:
    ids = ["seed", "best", *(each.candidate_id for each in candidates)]
    near = difflib.get_close_matches(name, ids, n=1, cutoff=0.5)
    near = near or difflib.get_close_matches(f"{_PREFIX}{name}", ids, n=1, cutoff=0.5)
    cure = f"did you mean {near[0]}?" if near else "gepa report RUN --json lists all of them"
    return CandidateNotFoundError(f"the run has no candidate '{name}'", hint=cure)
