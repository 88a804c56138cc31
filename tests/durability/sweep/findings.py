"""What a run has left in its directory, in a form that can be compared."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.runtime.attempts import rollout_id
from gepa_framework.workspace import read_database

_DERIVED = ("candidate_registry.json", "frontier.json", "best_candidate.json", "score_chart.svg")
#: What the manifest says of the place, the cache and the files beside it.
_ELSEWHERE = ("artifact_refs", "manifest_sha256")
#: What may lie in the directory of a run that is over.
_FILES = {
    "cache.sqlite",
    # Of a file that is shared SQLite leaves an empty one.
    "cache.sqlite-journal",
    "cache_profile.json",
    "events.jsonl",
    "events.normalized.jsonl",
    "journal.mark",
    "plugins.lock.json",
    "result_manifest.json",
    "store.json",
    "workspace.lock",
    "workspace.sqlite",
    *_DERIVED,
}


@attrs.frozen
class Findings:
    """A finished run.

    Attributes:
        normalised: Its feed without the clock.
        books: Every outcome with its attempts.
        texts: Every text with its digest.
        exports: The files made from it, by name.
        strays: Files that do not belong there.
        wrong: What the manifest says of the files beside it that is not so.
    """

    normalised: str
    books: tuple[Any, ...]
    texts: frozenset[Any]
    exports: dict[str, Any]
    strays: tuple[str, ...]
    wrong: tuple[str, ...]

    @classmethod
    def of(cls, run_dir: Path) -> Findings:
        manifest = json.loads((run_dir / "result_manifest.json").read_text())
        exports: dict[str, Any] = {name: (run_dir / name).read_text() for name in _DERIVED}
        exports["manifest"] = {key: value for key, value in manifest.items() if key not in _ELSEWHERE}
        return cls(
            (run_dir / "events.normalized.jsonl").read_text(),
            *_books_and_texts(run_dir),
            exports,
            tuple(sorted({path.name for path in run_dir.iterdir()} - _FILES)),
            tuple(_wrong(manifest["artifact_refs"])),
        )


def _wrong(refs: list[dict[str, Any]]) -> list[str]:
    return [
        ref["path"]
        for ref in refs
        if hashlib.sha256(Path(ref["path"]).read_bytes()).hexdigest() != ref["sha256"]
    ]


def _books_and_texts(run_dir: Path) -> tuple[tuple[Any, ...], frozenset[Any]]:
    """Give every outcome and failed attempt that is on record, and every text with its digest."""
    outcomes = "SELECT effect_id, kind, request_digest, payload FROM inputs WHERE effect_id IS NOT NULL"
    attempts = "SELECT effect_id, attempt, kind, code, prompt_tokens, total_tokens, cost_usd FROM attempts"
    with closing(read_database(run_dir / "workspace.sqlite")) as database:
        books = [row for query in (outcomes, attempts) for row in sorted(database.execute(query).fetchall())]
        return tuple(books), frozenset(database.execute("SELECT sha256, body FROM blobs"))


@attrs.frozen
class OnRecord:
    """What a journal has at a moment.

    Attributes:
        feed: Its events.
        answered: The ids of all attempts at rollouts.
    """

    feed: tuple[str, ...] = ()
    answered: frozenset[str] = frozenset()

    @classmethod
    def of(cls, run_dir: Path) -> OnRecord:
        """Look without touching anything: what a dead process left is for the next one to find."""
        path = run_dir / "workspace.sqlite"
        if not path.exists():
            return cls()
        with closing(read_database(path)) as database:
            events = database.execute("SELECT type, body FROM events ORDER BY seq").fetchall()
            failed = dict(database.execute("SELECT effect_id, count(*) FROM attempts GROUP BY effect_id"))
            done = "SELECT effect_id FROM inputs WHERE kind IN ('rollout', 'rollout_failure')"
            answered = frozenset(
                rollout_id("killed", effect, attempt)
                for (effect,) in database.execute(done)
                for attempt in range(1, failed.get(effect, 0) + 2)
            )
        return cls(tuple(f"{kind} {body}" for kind, body in events), answered)
