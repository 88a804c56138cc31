"""Kills the rebuilding of a workspace that has lost what is derived; prints what is wrong, and figures."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.durability.sweep.sweep import Sweep, directory, install, trace, warm

from gepa_framework.app import rebuild_workspace

_LOST = ("frontier.json", "result_manifest.json", "events.normalized.jsonl")


class Rebuilding(Sweep):
    """Rebuilds instead of going on, once there is a whole run."""

    rebuilds = False

    def go_on(self) -> None:
        if self.rebuilds:
            rebuild_workspace(self.run_dir)
        else:
            super().go_on()

    def spoil(self) -> None:
        """Take away and change what can be made again."""
        for name in _LOST:
            (self.run_dir / name).unlink()
        (self.run_dir / "best_candidate.json").write_text("{}")
        with closing(sqlite3.connect(self.run_dir / "workspace.sqlite")) as database:
            (view,) = database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchone()
            database.execute(f"DROP VIEW {view}")
            database.execute("DELETE FROM checkpoints")
            database.commit()
        self.keep("spoiled")
        self.rebuilds = True
        self.points = trace(self.go_on, self.base / "trace.json")

    def derived(self) -> tuple[object, ...]:
        """Give the views and the checkpoints."""
        with closing(sqlite3.connect(self.run_dir / "workspace.sqlite")) as database:
            views = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name")
            return (*views.fetchall(), *database.execute("SELECT * FROM checkpoints").fetchall())


def main() -> int:
    install()
    tried = failed = 0
    with directory() as base:
        warm(Path(base) / "warm")
        run = Rebuilding("rough", Path(base) / "rough")
        run.spoil()
        whole = run.derived()
        for point in run.points:
            tried += 1
            # What is as it should be is only read, and the log of a dead process stays beside it.
            log = ("workspace.sqlite-wal is left behind", "workspace.sqlite-shm is left behind")
            problems = [each for each in run.check((point,), state="spoiled") if each not in log]
            if run.derived() != whole:
                problems.append("views or checkpoints are not those of the whole run")
            if problems:
                failed += 1
                print(f"killed at {point}:", *problems, sep="\n    ", flush=True)
    print(json.dumps({"tried": tried, "deaths": run.deaths, "failed": failed}))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
