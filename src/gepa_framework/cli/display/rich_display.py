"""One live panel on the terminal, at most twelve lines high."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gepa_framework.cli import output
from gepa_framework.cli.display.facts import RunFacts
from gepa_framework.cli.display.plain import cost_words
from gepa_framework.cli.display.progress import Progress
from gepa_framework.cli.words import clean, count, duration, with_error
from gepa_framework.types import Event
from gepa_framework.types.version import VERSION

MAX_LINES = 12
_PER_SECOND = 4


def panel(now: Progress, elapsed: float) -> RenderableType:
    """Draw a run.

    Args:
        now: Where it stands.
        elapsed: Seconds worked on it.
    """
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, style="dim", width=9)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_row("budget", _budget(now))
    for name, text in _rows(now).items():
        grid.add_row(name, Text(clean(text), no_wrap=True, overflow="ellipsis"))
    title = Text(f" gepa {VERSION} · {clean(now.facts.run_id)} ", no_wrap=True, overflow="ellipsis")
    return Panel(
        grid, title=title, subtitle=f" {duration(elapsed)} ", title_align="left", subtitle_align="right"
    )


def _budget(now: Progress) -> RenderableType:
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(ratio=1)
    line.add_column(no_wrap=True, justify="right")
    bar = ProgressBar(total=max(now.facts.limit, 1), completed=now.rollouts, width=None)
    line.add_row(bar, Text(f"{now.rollouts:,}/{now.facts.limit:,} rollouts", no_wrap=True))
    return line


def _rows(now: Progress) -> Mapping[str, str]:
    failed = f", {count(now.failed, 'rollout')} failed" if now.failed else ""
    seed = f"seed {with_error(now.seed_score, now.seed_stderr)}"
    best = f"best {with_error(now.best_score, now.best_stderr)} {now.best_id}" if now.best_id else ""
    return {
        "now": f"iteration {now.iteration} · {now.phase_words()}" if now.iteration else now.phase_words(),
        "score": f"{seed} -> {best}" if best else "best not known yet",
        "pool": f"{count(now.pool, 'candidate')}, {now.frontier} on the frontier",
        "cost": f"{cost_words(now)}{failed}",
        "last": now.last or "no decision yet",
    }


class RichDisplay:
    """Keeps the panel on stderr up to date from a thread of rich's own.

    Args:
        facts: What was known before the run began.
        console: Where to draw; stderr where ``None``.
    """

    def __init__(self, facts: RunFacts, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._progress = Progress(facts)
        self._lock = threading.Lock()
        self._clock = (time.monotonic(), 0.0)
        self._live: Live | None = None

    def start(self) -> None:
        """Draw the panel."""
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_PER_SECOND,
            # What is the answer must not end up among the talk.
            redirect_stdout=sys.stdout.isatty(),
        )
        self._live.start(refresh=True)

    def on_event(self, event: Event) -> None:
        """Take one event in; it is drawn with the next frame."""
        with self._lock:
            self._progress.take(event)
            self._clock = (time.monotonic(), event.elapsed_seconds)

    def notice(self, text: str) -> None:
        """Write above the panel."""
        if self._live is None:
            output.talk(text)
        else:
            self._console.print(Text(clean(text)))

    def close(self) -> None:
        """Leave the last frame and give the terminal back."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()
            self._console.line()

    def _draw(self) -> RenderableType:
        with self._lock:
            seen, elapsed = self._clock
            try:
                return panel(self._progress, elapsed + time.monotonic() - seen)
            except Exception as error:  # noqa: BLE001 - raised here, it would end rich's thread in a traceback
                return Group(
                    Text(f"the panel cannot be drawn: {type(error).__name__}: {error}", no_wrap=True)
                )
