"""Holding the exported files against what the journal gives."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

import attrs

from gepa_framework.app import files
from gepa_framework.app.chronicle import Chronicle
from gepa_framework.app.differences import first_difference
from gepa_framework.app.exports import SEAL, derived_files, manifest, sealed
from gepa_framework.app.history import History
from gepa_framework.engine import Machine
from gepa_framework.errors import WorkspaceError
from gepa_framework.types import JSONObject
from gepa_framework.workspace import RESTORE, file_errors

#: What the manifest says of the place and of the end, rather than of what was found.
_ELSEWHERE = frozenset({"status", "failure", "artifact_refs", "run_dir", "store_location", SEAL})
_DERIVED = (files.CANDIDATES, files.FRONTIER, files.BEST, files.CHART)
_GROWING = (*_DERIVED, files.EVENTS, files.NORMALISED)
#: A run that goes on writes this anew before anything is on record.
_HASHED = (*_GROWING, files.CACHE_PROFILE)


@attrs.frozen
class ExportProof:
    """The exported files of a run, as they were found.

    Attributes:
        run_dir: Its directory.
        manifest: What the manifest says; ``None`` where there is none.
        texts: The files by name, those that are there.
    """

    run_dir: Path
    manifest: Mapping[str, Any] | None
    texts: Mapping[str, str]

    @classmethod
    def read(cls, run_dir: Path) -> ExportProof:
        """Read the files.

        Raises:
            WorkspaceError: One cannot be read, or the manifest is no manifest.
        """
        texts = {}
        for name in (*_DERIVED, files.MANIFEST):
            path = run_dir / name
            if path.is_file():
                with file_errors(path):
                    texts[name] = path.read_text(encoding="utf-8", errors="replace")
        return cls(run_dir, _manifest(run_dir, texts), texts)

    @property
    def events(self) -> int:
        """How many events were on record when they were written; -1 where they were not."""
        return -1 if self.manifest is None else int(self.manifest["events"])

    def hold(self, history: History, machine: Machine, chronicle: Chronicle) -> tuple[str, ...]:
        """Hold the files against a replay that stands where they were written, and give their names.

        Raises:
            WorkspaceError: A file is missing, or is not what the journal gives; names the first difference.
        """
        if self.manifest is None:
            _refuse(self.run_dir, files.MANIFEST, "is missing")
        for name, text in derived_files(machine.run, chronicle).items():
            self._hold_text(name, text)
        self._hold_manifest(self.manifest, history, machine, chronicle)
        return (*_DERIVED, files.MANIFEST)

    def _hold_text(self, name: str, expected: str) -> None:
        found = self.texts.get(name)
        if found is None:
            _refuse(self.run_dir, name, "is missing")
        if found == expected:
            return
        if not name.endswith(".json"):
            _refuse(self.run_dir, name, "is not what the journal gives")
        try:
            value = json.loads(found)
        except ValueError as error:
            _refuse(self.run_dir, name, f"is not JSON: {error}")
        self._hold_value(name, value, json.loads(expected))
        _refuse(self.run_dir, name, "is not laid out as it was written")

    def _hold_value(self, name: str, found: Any, expected: Any) -> None:
        difference = first_difference(found, expected)
        if difference is not None:
            one, other = difference.shown()
            _refuse(
                self.run_dir,
                name,
                f"{difference.path or 'all of it'} is {one}, and the journal gives {other}",
            )

    def _hold_manifest(
        self, found: Mapping[str, Any], history: History, machine: Machine, chronicle: Chronicle
    ) -> None:
        result = history.result(machine, chronicle)
        expected = json.loads(files.json_text(manifest(result)))
        self._hold_value(files.MANIFEST, _facts(found), _facts(expected))
        if machine.status.terminal:
            told = {"status": found.get("status"), "failure": found.get("failure")}
            self._hold_value(
                files.MANIFEST, told, {"status": expected["status"], "failure": expected["failure"]}
            )

    def settle(self, events: int, *, over: bool) -> str:
        """Hold the files against the end of the journal; give what cannot be told of a run that is not over.

        Args:
            events: Events in the journal.
            over: Whether the run has ended, so that the files must be there and tell of its end.

        Raises:
            WorkspaceError: They are missing or old, have other hashes than they should, or tell of more
                events than the journal has.
        """
        if self.manifest is None:
            if over:
                _refuse(self.run_dir, files.MANIFEST, "is missing")
            return "the exported files: the run is not over, and there are none"
        if self.events > events:
            raise WorkspaceError(
                f"{self.run_dir / files.MANIFEST} was written after event {self.events}, and the journal "
                f"ends at event {events}: it has lost rows",
                hint=RESTORE,
            )
        if self.events == events:
            self._hold_hashes(self.manifest, _HASHED if over else _GROWING)
        self._check_seal(self.manifest)
        if self.events == events:
            return ""
        told = f"was written after event {self.events}, and the run went on to event {events}"
        if over:
            _refuse(self.run_dir, files.MANIFEST, told)
        return f"the last events: {files.MANIFEST} {told}"

    def _check_seal(self, found: Mapping[str, Any]) -> None:
        unsealed = {key: each for key, each in found.items() if key != SEAL}
        if SEAL in found and sealed(unsealed)[SEAL] != found[SEAL]:
            _refuse(self.run_dir, files.MANIFEST, f"{SEAL} is not that of all the rest")
        if files.json_text(dict(found)) != self.texts[files.MANIFEST]:
            _refuse(self.run_dir, files.MANIFEST, "is not laid out as it was written")

    def _hold_hashes(self, found: Mapping[str, Any], names: Collection[str]) -> None:
        for ref in found.get("artifact_refs", []):
            name = Path(str(ref.get("path"))).name
            if name in names and ref.get("sha256") != _sha256(self.run_dir / name):
                _refuse(self.run_dir, files.MANIFEST, f"the SHA-256 of {name} is not that of the file")


def _facts(value: Mapping[str, Any]) -> JSONObject:
    """Give what a manifest says that follows from the journal."""
    return {key: each for key, each in value.items() if key not in _ELSEWHERE and not key.endswith("_path")}


def _manifest(run_dir: Path, texts: Mapping[str, str]) -> Mapping[str, Any] | None:
    if files.MANIFEST not in texts:
        return None
    try:
        value = json.loads(texts[files.MANIFEST])
    except ValueError as error:
        _refuse(run_dir, files.MANIFEST, f"is not JSON: {error}")
    if not isinstance(value, dict) or type(value.get("events")) is not int or value["events"] < 0:
        _refuse(run_dir, files.MANIFEST, "does not say after how many events it was written")
    return value


def _sha256(path: Path) -> str:
    with file_errors(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(run_dir: Path, name: str, message: str) -> NoReturn:
    raise WorkspaceError(f"{run_dir / name}: {message}", hint=f"gepa resume {run_dir} writes it again")
