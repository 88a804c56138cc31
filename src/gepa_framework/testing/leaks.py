"""What a test, or a plugin, may leave behind: variables, threads, sockets, child processes."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import attrs

#: What is on its way out gets so many seconds.
PATIENCE_SECONDS = 2.0
_STEP_SECONDS = 0.01
_DESCRIPTORS = Path("/proc/self/fd")
#: Pytest says there which test runs.
_OF_PYTEST = frozenset({"PYTEST_CURRENT_TEST"})


@attrs.frozen
class Traces:
    """What there is of this process at one moment.

    Attributes:
        environ: The environment variables.
        threads: Identities of the threads, with their names.
        sockets: The open sockets; empty where the system does not tell.
        children: Process ids of the child processes; empty where the system does not tell.
    """

    environ: Mapping[str, str]
    threads: Mapping[int, str]
    sockets: frozenset[str]
    children: frozenset[int]

    @classmethod
    def now(cls) -> Traces:
        """Look at this process."""
        return cls(
            environ={name: value for name, value in os.environ.items() if name not in _OF_PYTEST},
            threads={id(thread): thread.name for thread in threading.enumerate()},
            sockets=_sockets(),
            children=_children(),
        )

    def left_since(self, *, patience: float = PATIENCE_SECONDS) -> dict[str, str]:
        """Say what is there now and was not then, a sentence for each of ``environ``, ``threads`` and so on.

        Args:
            patience: How many seconds what is on its way out may take.
        """
        deadline = time.monotonic() + patience
        left = self._left()
        if left:
            gc.collect()
        while (left := self._left()) and time.monotonic() < deadline and set(left) != {"environ"}:
            time.sleep(_STEP_SECONDS)
        return left

    def _left(self) -> dict[str, str]:
        now = Traces.now()
        threads = sorted(name for thread, name in now.threads.items() if thread not in self.threads)
        found = {
            "environ": _changed(self.environ, now.environ),
            "threads": f"threads that still run: {', '.join(threads)}" if threads else "",
            "sockets": _counted("open sockets", now.sockets - self.sockets),
            "children": _counted("child processes", now.children - self.children),
        }
        return {kind: sentence for kind, sentence in found.items() if sentence}


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    # Names only: a value may be a secret.
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    return f"environment variables that changed: {', '.join(names)}" if names else ""


def _counted(what: str, found: frozenset[str] | frozenset[int]) -> str:
    return f"{what}: {', '.join(map(str, sorted(found)))}" if found else ""


def _sockets() -> frozenset[str]:
    found = set()
    for number in _listed(_DESCRIPTORS):
        try:
            target = str((_DESCRIPTORS / number).readlink())
        except OSError:
            continue  # it was the one that the listing itself had open
        if target.startswith("socket:"):
            found.add(target)
    return frozenset(found)


def _children() -> frozenset[int]:
    found: set[int] = set()
    for task in _listed(Path("/proc/self/task")):
        try:
            text = Path("/proc/self/task", task, "children").read_text(encoding="ascii")
        except OSError:
            continue  # the thread has ended
        found.update(map(int, text.split()))
    return frozenset(found)


def _listed(directory: Path) -> list[str]:
    try:
        return [path.name for path in directory.iterdir()]
    except OSError:
        return []
