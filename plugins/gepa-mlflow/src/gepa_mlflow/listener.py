"""The listener: it hands events over to a thread, and never waits for it before the end."""

from __future__ import annotations

import contextlib
import queue
import threading

from gepa_framework.errors import WorkspaceError
from gepa_framework.types import BuildContext, Event
from gepa_mlflow.config import MlflowConfig
from gepa_mlflow.worker import Worker


class MlflowListener:
    """Records a run in MLflow.

    Args:
        config: Where, and under which names.
        context: The run.
    """

    def __init__(self, config: MlflowConfig, context: BuildContext) -> None:
        self._config = config
        self._context = context
        self._worker = Worker(config, context)
        self._thread: threading.Thread | None = None
        self._closed = False

    def on_event(self, event: Event) -> None:
        """Put one event into the queue; one that finds no room is read from ``events.jsonl`` later.

        Raises:
            WorkspaceError: The listener is closed.
        """
        if self._closed:
            raise WorkspaceError("the listener of MLflow is closed")
        self._start()
        with contextlib.suppress(queue.Full):
            self._worker.events.put_nowait(event)

    def close(self) -> None:
        """Wait, within `close_seconds`, until all is recorded, and warn of what is not."""
        if self._closed:
            return
        self._closed = True
        # A run that was finished before tells nothing; what MLflow has missed of it is on record.
        if self._thread is None and (self._context.run_dir / "events.jsonl").exists():
            self._start()
        if self._thread is None:
            return
        self._worker.stopping.set()
        with contextlib.suppress(queue.Full):
            self._worker.events.put_nowait(None)
        self._thread.join(self._config.close_seconds)
        self._account(ended=not self._thread.is_alive())

    def _start(self) -> None:
        if self._thread is None:
            # A daemon: whatever MLflow waits for, it does not keep the process from ending.
            self._thread = threading.Thread(target=self._worker.work, name="gepa-mlflow", daemon=True)
            self._thread.start()

    def _account(self, *, ended: bool) -> None:
        why = self._worker.missing(ended=ended)
        if why:
            self._context.logger.warning(
                "%s has not recorded all of the run: %s; `gepa resume %s` records what is missing",
                self._worker.shown,
                why,
                self._context.run_dir,
            )
