"""What follows from events: the account of a run, folded into parameters, metrics, tags and texts.

Nothing here depends on a clock or on where the account came from: equal feeds give equal notes, which is what
keeps a run that is told twice from being recorded twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from gepa_framework.types import JSONObject, JSONValue
from gepa_mlflow.notes import TAG_CHARS, Note, clean, flat, name_of, shown
from gepa_mlflow.totals import Totals

_Fields: TypeAlias = "Mapping[str, Any]"
_RUNNING: Final = "RUNNING"
_NOT_IN_A_PATH = re.compile(r"[^A-Za-z0-9._-]")


@attrs.define
class Story:
    """A run as far as it has been told.

    Attributes:
        settings: The resolved ``[gepa]`` table.
        seq: Number of the last event.
        status: What the run is, in the words of MLflow.
    """

    settings: JSONObject = attrs.field(factory=dict)
    seq: int = 0
    status: str = _RUNNING
    _totals: Totals = attrs.field(factory=Totals)
    _candidates: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    _texts: dict[str, Mapping[str, str]] = attrs.field(factory=dict)
    _best: str = ""
    _recorded_best: str = ""
    _rules: set[str] = attrs.field(factory=set)
    _result: dict[str, JSONValue] = attrs.field(factory=dict)

    def hear(self, fields: _Fields) -> Note | None:
        """Take one event, as `event_fields` gives it, and tell what is to be recorded because of it."""
        self.seq = int(fields["seq"])
        self._totals.count(fields)
        follows = self._follows.get(str(fields["type"]))
        if follows is None:
            return None
        found = follows(self, fields)
        self.status = found.get("status", self.status)
        elapsed = float(fields.get("elapsed_seconds", 0.0))
        return Note(self.seq, elapsed, self._totals.rollouts, **found)

    # -- what follows from which event

    def _started(self, fields: _Fields) -> dict[str, Any]:
        params = {
            **flat(self.settings, "gepa"),
            "seed": shown(fields["seed"]),
            "config_digest": shown(fields["config_digest"]),
            **flat(fields["limits"], "limits"),
        }
        return {"params": params, "tags": {"gepa.status": "running"}, "status": _RUNNING}

    def _contract(self, fields: _Fields) -> dict[str, Any]:
        return {"params": {"container": shown(fields["name"]), "contract": shown(fields["contract"])}}

    def _program(self, fields: _Fields) -> dict[str, Any]:
        named = ("program_id", "task_id", "components", "targets")
        return {"params": {name: shown(_plain(fields[name])) for name in named}}

    def _rows(self, fields: _Fields) -> dict[str, Any]:
        purpose = str(fields["purpose"])
        return {
            "params": {
                name_of("rows", purpose): str(len(fields["rows"])),
                name_of("split", purpose): shown(fields["split"]),
            }
        }

    def _registered(self, fields: _Fields) -> dict[str, Any]:
        name = str(fields["candidate_id"])
        kept = ("candidate_id", "parent_ids", "iteration", "source", "changed")
        self._candidates[name] = {key: _plain(fields[key]) for key in kept} | {"score": None}
        self._texts[name] = fields["components"]
        return {}

    def _evaluated(self, fields: _Fields) -> dict[str, Any]:
        self._candidates.setdefault(str(fields["candidate_id"]), {})["score"] = fields["score"]
        return {"metrics": {**_known(candidate_score=fields["score"]), **self._totals.metrics()}}

    def _iteration(self, fields: _Fields) -> dict[str, Any]:
        return {"params": self._rule("selection_rule", fields)}

    def _decided(self, fields: _Fields) -> dict[str, Any]:
        metrics = _known(minibatch_delta=fields["delta"], minibatch_score=fields["after"])
        return {
            "params": self._rule("acceptance_rule", fields),
            "metrics": {**metrics, **self._totals.metrics()},
        }

    def _counted(self, _fields: _Fields) -> dict[str, Any]:
        return {"metrics": self._totals.metrics()}

    def _frontier(self, fields: _Fields) -> dict[str, Any]:
        metrics = _known(
            best_score=fields["best_score"],
            best_stderr=fields.get("best_stderr"),
            frontier_size=len(fields["survivors"]),
            **self._totals.metrics(),
        )
        return {"metrics": metrics, **self._crowned(str(fields["best_candidate_id"]))}

    def _stop(self, fields: _Fields) -> dict[str, Any]:
        self._result["stop"] = {name: _plain(fields[name]) for name in ("kind", "limit", "value", "message")}
        tags = {
            "gepa.stop": shown(fields["kind"], TAG_CHARS),
            "gepa.stop_message": shown(fields["message"], TAG_CHARS),
        }
        return {"tags": tags}

    def _heldout(self, fields: _Fields) -> dict[str, Any]:
        name = str(fields["candidate_id"])
        roles = {str(fields["role"])}
        if self._candidates.get(name, {}).get("source") == "seed":
            roles.add("seed")  # the seed itself is the best
        metrics: dict[str, float] = {}
        for role in sorted(roles & {"seed", "best"}):
            for what in ("score", "stderr"):
                metrics |= _known(**{f"heldout_{what}_{role}": fields[what]})
            self._result[f"heldout_{role}"] = _chosen(fields, "candidate_id", "score", "stderr", "rows")
        return {"metrics": {**metrics, **self._totals.metrics()}}

    def _verdict(self, fields: _Fields) -> dict[str, Any]:
        verdict = _chosen(fields, "verdict", "mean_difference", "stderr", "p", "confidence", "n", "reason")
        self._result["verdict"] = verdict
        metrics = _known(heldout_difference=fields["mean_difference"], heldout_p=fields["p"])
        return {"metrics": metrics, "tags": {"gepa.verdict": shown(fields["verdict"], TAG_CHARS)}}

    def _deployed(self, fields: _Fields) -> dict[str, Any]:
        self._result["deployment_rule"] = fields["rule"]
        return self._crowned(str(fields["candidate_id"]))

    def _finished(self, fields: _Fields) -> dict[str, Any]:
        told = ("iterations", "candidates", "rollouts", "failed_rollouts", "cost_usd", "total_tokens")
        totals = {name: fields[name] for name in told}
        self._result |= {"best_score": fields["best_score"], **totals}
        metrics = _known(**{**self._totals.metrics(), "best_score": fields["best_score"], **totals})
        return {"metrics": metrics, **self._ended("finished", "FINISHED", str(fields["best_candidate_id"]))}

    def _failed(self, fields: _Fields) -> dict[str, Any]:
        self._result["error"] = _chosen(fields, "error_code", "message")
        ended = self._ended("failed", "FAILED", self._best)
        ended["tags"] |= {
            "gepa.error_code": shown(fields["error_code"], TAG_CHARS),
            "gepa.error": shown(fields["message"], TAG_CHARS),
        }
        return {"metrics": self._totals.metrics(), **ended}

    def _cancelled(self, fields: _Fields) -> dict[str, Any]:
        self._result["cancelled"] = fields["reason"]
        return {"metrics": self._totals.metrics(), **self._ended("cancelled", "KILLED", self._best)}

    def _extended(self, fields: _Fields) -> dict[str, Any]:
        # A parameter cannot be changed; what was raised stands beside it.
        raised = flat(fields["limits"], "gepa", "extended")
        tags = {name: value[:TAG_CHARS] for name, value in raised.items()}
        return {"tags": {**tags, "gepa.status": "running"}, "status": _RUNNING}

    # -- parts of it

    def _rule(self, name: str, fields: _Fields) -> dict[str, str]:
        if name in self._rules:
            return {}
        self._rules.add(name)
        return {name: shown(fields["rule"])}

    def _crowned(self, candidate_id: str) -> dict[str, Any]:
        """Give the best candidate's texts where it is not the one that is recorded as the best."""
        self._best = candidate_id
        texts = self._texts.get(candidate_id)
        if texts is None or candidate_id == self._recorded_best:
            return {}
        self._recorded_best = candidate_id
        components: JSONObject = {clean(name): clean(text) for name, text in texts.items()}
        whole: JSONObject = {"candidate_id": candidate_id, "components": components}
        return {
            "tags": {"gepa.best_candidate_id": shown(candidate_id, TAG_CHARS)},
            "texts": {"best_candidate.json": _json(whole), **_files(texts)},
        }

    def _ended(self, word: str, status: str, best: str) -> dict[str, Any]:
        crowned = self._crowned(best) if best else {}
        result = {
            "status": word,
            "best_candidate_id": best,
            **self._result,
            "candidates": list(self._candidates.values()),
        }
        return {
            "tags": {**crowned.get("tags", {}), "gepa.status": word},
            "texts": {**crowned.get("texts", {}), "result.json": clean(_json(result))},
            "status": status,
        }

    _follows: ClassVar[Mapping[str, Callable[[Any, _Fields], dict[str, Any]]]] = {
        "gepa.run.started": _started,
        "container.contract.verified": _contract,
        "container.program.loaded": _program,
        "dataset.rows.loaded": _rows,
        "candidate.registered": _registered,
        "candidate.evaluated": _evaluated,
        "iteration.started": _iteration,
        "iteration.skipped": _counted,
        "proposer.failed": _counted,
        "candidate.duplicate_skipped": _counted,
        "candidate.accepted": _decided,
        "candidate.rejected": _decided,
        "frontier.updated": _frontier,
        "gepa.stop": _stop,
        "heldout.completed": _heldout,
        "heldout.verdict": _verdict,
        "deployment.decided": _deployed,
        "gepa.run.finished": _finished,
        "gepa.run.failed": _failed,
        "gepa.run.cancelled": _cancelled,
        "gepa.run.extended": _extended,
    }


def _known(**metrics: float | None) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if value is not None}


def _chosen(fields: _Fields, *names: str) -> JSONObject:
    return {name: _plain(fields[name]) for name in names}


def _plain(value: Any) -> JSONValue:
    plain: JSONValue = list(value) if isinstance(value, tuple) else value
    return plain


def _json(value: JSONValue) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _files(texts: Mapping[str, str]) -> dict[str, str]:
    """Give a file for each component, under a name that is one on every system."""
    found: dict[str, str] = {}
    for name, text in texts.items():
        plain = _NOT_IN_A_PATH.sub("_", name)[:100]
        path, number = f"best_candidate/{plain}.txt", 1
        while path in found:
            number += 1
            path = f"best_candidate/{plain}-{number}.txt"
        found[path] = clean(text)
    return found
