"""The run as MLflow has it. Here alone MLflow is imported, and only once there is something to record."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import attrs

from gepa_mlflow.notes import TAG_CHARS, Note, shown
from gepa_mlflow.places import Place

KEY_TAG: Final = "gepa.run_key"
LAST_TAG: Final = "gepa.last_event"
#: What MLflow takes at once, with room to spare.
_METRICS: Final = 900
_PARAMS: Final = 90


@attrs.frozen
class Names:
    """What a run is called in MLflow.

    Attributes:
        key: Tells it from any other.
        run_name: Its name.
        tags: Its tags from the beginning.
    """

    key: str
    run_name: str
    tags: Mapping[str, str]


@attrs.define
class Record:
    """One MLflow run that is written.

    Attributes:
        last: Number of the last event that is in it.
        status: Its status.
    """

    _client: Any
    _run_id: str
    _started_ms: int
    last: int
    status: str

    @classmethod
    def open(cls, place: Place, names: Names, elapsed_seconds: float) -> Record:
        """Find the run, or make it; raises whatever MLflow raises.

        Args:
            place: Where it is.
            names: What it is called.
            elapsed_seconds: How long the run had been worked on when it was made.
        """
        client = _client(place)
        experiment = _experiment(client, place)
        found = client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{names.key}'", max_results=1)
        if found:
            run = found[0]
        else:
            tags = {name: shown(value, TAG_CHARS) for name, value in names.tags.items()}
            run = client.create_run(
                experiment,
                start_time=_now_ms() - round(elapsed_seconds * 1000),
                run_name=names.run_name,
                tags={**tags, KEY_TAG: names.key, LAST_TAG: "0"},
            )
        info = run.info
        return cls(client, info.run_id, info.start_time, int(run.data.tags.get(LAST_TAG, "0")), info.status)

    def write(self, notes: Sequence[Note]) -> list[Exception]:
        """Record what is not in it yet, and give what artifacts could not be kept for.

        Equal notes are recorded under equal steps and times, so that what is sent again is there once. How
        far it got is noted last.
        """
        refused: list[Exception] = []
        for batch in _batches([note for note in notes if note.seq > self.last]):
            self._write(batch, refused)
        return refused

    def become(self, status: str, tags: Mapping[str, str] | None = None) -> None:
        """Give the run this status, where it has another one."""
        if status == self.status:
            return
        for name, value in (tags or {}).items():
            self._client.set_tag(self._run_id, name, value)
        if status == "RUNNING":
            self._client.update_run(self._run_id, status=status)
        else:
            self._client.set_terminated(self._run_id, status)
        self.status = status

    def _write(self, notes: Sequence[Note], refused: list[Exception]) -> None:
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - takes seconds

        params: dict[str, str] = {}
        tags: dict[str, str] = {}
        texts: dict[str, str] = {}
        metrics = []
        for note in notes:
            params |= note.params
            tags |= note.tags
            texts |= note.texts
            at = self._started_ms + round(note.elapsed_seconds * 1000)
            metrics += [Metric(name, value, at, note.step) for name, value in note.metrics.items()]
        if self.status != "RUNNING":
            tags.setdefault("gepa.status", "running")
            self.become("RUNNING")
        pairs = iter([Param(name, value) for name, value in params.items()])
        while some := list(islice(pairs, _PARAMS)):
            self._client.log_batch(self._run_id, params=some)
        for path, text in texts.items():
            try:
                self._client.log_text(self._run_id, text, path)
            except Exception as error:  # noqa: BLE001 - where artifacts go needs packages of its own
                refused.append(error)
        tags[LAST_TAG] = str(notes[-1].seq)
        self._client.log_batch(
            self._run_id, metrics=metrics, tags=[RunTag(name, value) for name, value in tags.items()]
        )
        self.last = notes[-1].seq


def _batches(notes: Sequence[Note]) -> Iterator[list[Note]]:
    batch: list[Note] = []
    count = 0
    for note in notes:
        if batch and count + len(note.metrics) > _METRICS:
            yield batch
            batch, count = [], 0
        batch.append(note)
        count += len(note.metrics)
    if batch:
        yield batch


def _client(place: Place) -> Any:
    alone = "mlflow" not in sys.modules
    from mlflow.tracking import MlflowClient  # noqa: PLC0415 - takes seconds

    if alone and "MLFLOW_LOGGING_LEVEL" not in os.environ:
        # The display of the run has the terminal; what goes wrong is told by the listener.
        logging.getLogger("mlflow").setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=place.uri)


def _experiment(client: Any, place: Place) -> str:
    experiment = client.get_experiment_by_name(place.experiment)
    if experiment is None:
        try:
            return str(client.create_experiment(place.experiment, artifact_location=place.artifacts))
        except Exception:
            # Another run may have been quicker.
            experiment = client.get_experiment_by_name(place.experiment)
            if experiment is None:
                raise
    return str(experiment.experiment_id)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
