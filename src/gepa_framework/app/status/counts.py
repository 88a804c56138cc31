"""Counts of a run by the names that readers know them by, made from its tallies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from gepa_framework.workspace import Standing

Counts = Mapping[str, int]

#: The boundary that an input crossed, by its kind.
_CONTAINER: Mapping[str, str] = {
    "metadata": "container.metadata",
    "program": "container.program",
    "rows": "container.dataset_rows",
    "rollout": "container.rollout",
    "rollout_failure": "container.rollout",
    "attempt": "container.rollout",
    "rollout_given_up": "container.rollout",
}
#: What an outcome says of the cache: one that was asked for in vain and kept stands for both.
_ACTIONS: Mapping[str, tuple[str, ...]] = {"hit": ("hit",), "miss": ("miss",), "write": ("miss", "write")}


def status_counts(standing: Standing) -> dict[str, dict[str, int]]:
    """Give every ``*_counts`` map of a run, in the words of the views that its name is of."""
    tallies, events = standing.counts, standing.counts["events"]
    given = _given(tallies["inputs"])
    used, boundary = accesses(standing), _boundaries(standing.meta)
    decided = {name: events.get(f"candidate.{name}", 0) for name in ("accepted", "rejected")}
    stages = list(_split(tallies["stages"]))
    sources, jobs = tallies["sources"], _jobs(standing)
    retried, calls = sum(tallies["attempts"].values()), _calls(standing)
    found = {
        "acceptance_decision": decided,
        "cache_access_action": _sums(pair for actions in used.values() for pair in actions.items()),
        "cache_access_boundary": {name: sum(actions.values()) for name, actions in used.items()},
        "candidate_delta_operation": {
            "rewrite": sources.get("proposer", 0),
            "merge": sources.get("merge", 0),
        },
        "candidate_source": sources,
        "candidate_status": {
            **decided,
            "registered": events.get("candidate.registered", 0) - sum(decided.values()),
        },
        "checkpoint_kind": standing.checkpoints,
        "event_stream_event_type": events,
        "evidence_frame_kind": tallies["frames"],
        "frontier_cell_status": tallies["cells"],
        "optimizer_job_kind": _sums((_lane(kind), count) for kind, count in given.items()),
        "optimizer_job_status": _sums((_status(kind), count) for kind, count in given.items()),
        "plan_link_relation": _links(standing),
        "rollout_event_type": {**jobs, "attempt_failed": retried},
        "rollout_job_status": jobs,
        "rollout_stage": _sums((stage, count) for (stage, _), count in stages),
        "rollout_status": _sums((how, count) for (_, how), count in stages),
        "runtime_effect_failure_class": _sums([*tallies["failures"].items(), *tallies["attempts"].items()]),
        "runtime_effect_status": {
            **_sums((_status(kind), count) for kind, count in given.items()),
            "abandoned": sum(tallies["abandoned"].values()),
        },
        "score_objective": tallies["objectives"],
        "subagent_status": calls,
        "trace_annotation_status": {name: count for name, count in jobs.items() if name != "abandoned"},
        "score_stage": _sums((stage, count) for (stage, how), count in stages if how == "completed"),
        "usage_ledger_boundary": _sums((boundary(kind), count) for kind, count in _ledger(standing).items()),
        "verifier_job_objective": tallies["verifications"],
        "verifier_job_status": {name: count for name, count in jobs.items() if name != "abandoned"},
        "operation_status": {},
        "resource_lease_status": {},
    }
    return {f"{name}_counts": _shown(counts) for name, counts in found.items()}


def _given(inputs: Counts) -> dict[str, int]:
    """Give the outcomes by kind: all inputs but those that nobody was asked for."""
    return {kind: count for kind, count in inputs.items() if kind in _CONTAINER or _proposed(kind)}


def _jobs(standing: Standing) -> dict[str, int]:
    inputs = standing.counts["inputs"]
    return {
        "completed": inputs.get("rollout", 0),
        "failed": inputs.get("rollout_failure", 0),
        "abandoned": standing.counts["abandoned"].get("rollouts", 0),
    }


def _calls(standing: Standing) -> dict[str, int]:
    """Give the calls of proposers by how they ended."""
    inputs = standing.counts["inputs"]
    return {
        "completed": inputs.get("proposal", 0),
        "failed": inputs.get("proposal_failure", 0),
        "abandoned": standing.counts["abandoned"].get("proposals", 0),
    }


def _links(standing: Standing) -> dict[str, int]:
    tallies = standing.counts
    sources = tallies["sources"]
    return {
        "derived_from": sources.get("proposer", 0) + 2 * sources.get("merge", 0),
        "proposed_by": sources.get("proposer", 0),
        "reflected_on": sum(tallies["frames"].values()),
        "scored": tallies["events"].get("rollout.completed", 0),
    }


def _ledger(standing: Standing) -> dict[str, int]:
    """Give the calls that were paid for, by kind."""
    paid = {
        kind: count for kind, count in _given(standing.counts["inputs"]).items() if _lane(kind) != "setup"
    }
    given_up = standing.counts["abandoned"]
    return {
        **paid,
        "attempt": sum(standing.counts["attempts"].values()),
        "rollout_given_up": given_up.get("rollouts", 0),
        "proposal_given_up": given_up.get("proposals", 0),
    }


def accesses(standing: Standing) -> dict[str, dict[str, int]]:
    """Give how often the cache was used, by boundary and action."""
    boundary = _boundaries(standing.meta)
    found: dict[str, dict[str, int]] = {}
    for (kind, access), count in _split(standing.counts["accesses"]):
        actions = found.setdefault(boundary(kind), {})
        for action in _ACTIONS[access]:
            actions[action] = actions.get(action, 0) + count
    return found


#: Views of which each row is an event of one type.
_EVENT_VIEWS: Mapping[str, tuple[str, ...]] = {
    "candidates": ("candidate.registered",),
    "acceptance_decisions": ("candidate.accepted", "candidate.rejected"),
    "evaluations": ("candidate.evaluated",),
    "frontier_updates": ("frontier.updated",),
    "merges": ("merge.proposed",),
    "container_contracts": ("container.contract.verified",),
    "programs": ("container.program.loaded",),
    "proposal_leaks": ("proposal.leak_warned",),
    "rollouts": ("rollout.completed", "rollout.failed"),
    "stops": ("gepa.stop",),
    "run_endings": ("gepa.run.finished", "gepa.run.failed", "gepa.run.cancelled"),
    "work_abandoned": ("work.abandoned",),
    "heldout_scores": ("heldout.completed",),
    "heldout_verdicts": ("heldout.verdict",),
    "deployments": ("deployment.decided",),
}


def table_counts(standing: Standing) -> dict[str, int]:
    """Give the rows of tables and views, of those of which it is known without looking."""
    tallies, events = standing.counts, standing.counts["events"]
    jobs, attempts = _jobs(standing), sum(tallies["attempts"].values())
    return {
        "inputs": standing.inputs,
        "attempts": attempts,
        "events": standing.events,
        "blobs": standing.texts,
        "checkpoints": sum(standing.checkpoints.values()),
        **{name: sum(events.get(kind, 0) for kind in kinds) for name, kinds in _EVENT_VIEWS.items()},
        "event_stream_events": standing.events,
        "evidence_frames": sum(tallies["frames"].values()),
        "frontier_cells": sum(tallies["cells"].values()),
        "plan_links": sum(_links(standing).values()),
        "rollout_jobs": sum(jobs.values()),
        "rollout_events": sum(jobs.values()) + attempts,
        "sensor_frames": jobs["completed"] + jobs["failed"],
        "scores": sum(tallies["objectives"].values()),
        "subagent_invocations": sum(_calls(standing).values()),
        "trace_annotations": jobs["completed"] + jobs["failed"],
        "verifier_jobs": jobs["completed"] + jobs["failed"],
        "usage_ledger": sum(_ledger(standing).values()),
        "cache_accesses": sum(sum(actions.values()) for actions in accesses(standing).values()),
    }


def _proposed(kind: str) -> bool:
    return kind.startswith("proposal")


def _lane(kind: str) -> str:
    if _proposed(kind):
        return "propose"
    return "rollout" if kind.startswith("rollout") else "setup"


def _status(kind: str) -> str:
    return "failed" if kind.endswith("_failure") else "completed"


def _boundaries(meta: Mapping[str, str]) -> Any:
    """Give what names the boundary of a kind of input; the proposer's is in the lock of the run's plugins."""
    plugins = json.loads(meta.get("plugins_lock", "{}")).get("plugins", ())
    name = next((each["name"] for each in plugins if each.get("kind") == "proposer"), "unknown")
    return lambda kind: _CONTAINER.get(kind, f"proposer.{name}")


def _split(counts: Counts) -> Iterable[tuple[tuple[str, str], int]]:
    for key, count in counts.items():
        first, _, second = key.rpartition(".")
        yield (first, second), count


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, count in pairs:
        sums[name] += count
    return dict(sums)


def _shown(counts: Counts) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
