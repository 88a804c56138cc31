"""What waits to be posted: messages, a bounded queue of events, and a mark of how far a run has come."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.net import dump_json
from gepa_framework.types import Event
from gepa_framework.workspace import feeds, rename
from gepa_framework.workspace.feed_tail import seq_of


@attrs.frozen
class Message:
    """One event as it is posted.

    Attributes:
        seq: The event's number.
        type: Its type.
        id: The same for the same event of the same run, whoever posts it and how often.
        body: JSON.
    """

    seq: int
    type: str
    id: str
    body: bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, run_id: str, nonce: str, fields: Mapping[str, Any]) -> Message:
        """Make one of the fields of an event, which are those of its line in ``events.jsonl``.

        Args:
            run_id: The run's name.
            nonce: Tells the run from another of this name, which was deleted or is elsewhere.
            fields: The event.
        """
        data = dict(fields)
        seq, elapsed, type_ = (data.pop(name) for name in ("seq", "elapsed_seconds", "type"))
        envelope = {"type": type_, "run_id": run_id, "seq": seq, "elapsed_seconds": elapsed, "data": data}
        id_ = hashlib.sha256(f"{nonce} {run_id} {seq}".encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return cls(seq, type_, f"gepa_{id_}", dump_json(envelope))


class Outbox:
    """Events that wait, as many as may. The oldest make room: the end of a run comes last.

    Args:
        limit: How many may wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()
        self._finished = False

    def put(self, event: Event) -> bool:
        """Add one, and tell whether another was dropped for it."""
        with self._changed:
            full = len(self._events) >= self._limit
            if full:
                self._events.popleft()
            self._events.append(event)
            self._changed.notify()
            return full

    def finish(self) -> None:
        """Have `events` end with the last one that waits."""
        with self._changed:
            self._finished = True
            self._changed.notify()

    def events(self) -> Iterator[Event]:
        """Give one after the other, waiting for the next."""
        while True:
            with self._changed:
                while not self._events and not self._finished:
                    self._changed.wait()
                if not self._events:
                    return
                event = self._events.popleft()
            yield event


@attrs.frozen
class Standing:
    """How far one webhook of one run has come.

    Attributes:
        settled: The last event up to which all is delivered or given up.
        nonce: What the ids of its messages are made of.
    """

    settled: int
    nonce: str = attrs.field(factory=lambda: secrets.token_hex(16))

    def line(self) -> bytes:
        """Give the content of the file: always as long, so that it can be written over."""
        return f'{{"nonce": "{self.nonce}", "settled": {self.settled:<19}}}\n'.encode("ascii")


class Mark:
    """Remembers in the run's directory how far the posting has come.

    Args:
        run_dir: The run's directory.
        name: Tells this webhook from another of the same run.
    """

    def __init__(self, run_dir: Path, name: str) -> None:
        self.path = run_dir / f"webhook.{name}.json"
        self._feed, _ = feeds(run_dir)

    def read(self) -> Standing | None:
        """Give what is remembered; ``None`` where nothing was posted before.

        Where it cannot be read, nothing counts as settled: twice is better than never.
        """
        try:
            found = json.loads(self.path.read_bytes())
            return Standing(max(0, int(found["settled"])), str(found["nonce"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return Standing(0)

    def begin(self, standing: Standing) -> None:
        """Write the file, whole or not at all, and bring it to the disk.

        Raises:
            OSError: It cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.new")
        with draft.open("wb") as file:
            file.write(standing.line())
            file.flush()
            os.fsync(file.fileno())
        rename(draft, self.path)

    def move(self, standing: Standing) -> None:
        """Write over the file. No sync: what the loss of power takes back is posted once more.

        Raises:
            OSError: It cannot be written.
        """
        with self.path.open("r+b") as file:
            file.write(standing.line())

    def missed(self, after: int, before: int | None) -> Iterator[Mapping[str, Any]]:
        """Give the events of the feed between two numbers, both excluded; to its end for ``None``.

        Raises:
            OSError: The feed cannot be read.
        """
        if not self._feed.exists():
            return
        with self._feed.open("rb") as lines:
            for line in lines:
                seq = seq_of(line)
                if before is not None and seq >= before:
                    return
                if seq > after and line.endswith(b"\n"):
                    with suppress(ValueError):  # damaged, and not for us to mend
                        yield json.loads(line)
