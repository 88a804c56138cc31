"""The task container: taskset, program and rollouts behind the routes of the synth-containers SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import HTTPException
from synth_containers import Container  # type: ignore[import-untyped]

from gepa_cookbook_banking77.cards import seed_cards
from gepa_cookbook_banking77.data import Dataset
from gepa_cookbook_banking77.errors import DataError
from gepa_cookbook_banking77.policies import Policy
from gepa_cookbook_banking77.rollouts import COMPONENT, Grader
from gepa_cookbook_banking77.tasks import Payload, Taskset

TASK_ID: Final = "banking77"
_MODULE = "intent_router"
_DESCRIPTION = "Tell the intent of a bank customer's message with the help of one short card for each intent."
_OBJECTIVE = (
    "Write one card to a line as `- intent: phrase, phrase, …` so that a message is matched to the right "
    "intent. Keep the names of the intents; change what stands behind the colon."
)


def build_container(dataset: Dataset, policies: Mapping[str, Policy]) -> Container:
    """Make the container that serves a dataset."""
    taskset = Taskset(dataset)
    container = Container(
        "banking77", runtime_id=TASK_ID, description=_DESCRIPTION, default_submission_mode="sync"
    )
    container.task_info(lambda: _task_info(dataset))
    container.program(lambda: _program(dataset))
    container.taskset(taskset.describe)
    container.taskset_tasks(lambda request: _tasks(taskset, request))
    container.rollout(Grader(taskset, policies).run)
    return container


def _task_info(dataset: Dataset) -> Payload:
    return {
        "task": {"task_id": TASK_ID, "name": "Banking77 intents", "description": _DESCRIPTION},
        "output_space": {
            "kind": "label",
            "labels": list(dataset.labels),
            "label_count": len(dataset.labels),
        },
        "proposer_hints": {"literal_training_targets": "allow"},
        "metadata": {
            "primary_metric": "accuracy",
            "data": dataset.name,
            "data_source": dataset.source,
            "data_counts": {split: len(rows) for split, rows in dataset.splits.items()},
        },
    }


def _program(dataset: Dataset) -> Payload:
    seed = seed_cards(dataset.labels)
    module = {
        "module_id": _MODULE,
        "role": "system",
        "content": seed,
        "mutable": True,
        "candidate_field": COMPONENT,
        "template_variables": [],
        "metadata": {},
    }
    target = {"module_id": _MODULE, "candidate_field": COMPONENT, "objective": _OBJECTIVE, "metadata": {}}
    return {
        "version": "prompt_program.v1",
        "program_id": dataset.name,
        "modules": [module],
        "target_modules": [target],
        "seed_candidate": {COMPONENT: seed},
        "rollout_overlay_schema": {"candidate_fields": [COMPONENT]},
        "metadata": {"task_id": TASK_ID},
    }


def _tasks(taskset: Taskset, request: Payload) -> Payload:
    split, ids = request.get("split"), request.get("task_ids")
    if request.get("filters"):
        raise _refusal(DataError("this taskset has no filters"))
    wanted = [str(one) for one in ids] if isinstance(ids, list) else []
    try:
        tasks = taskset.select(str(split), wanted)
    except DataError as error:
        raise _refusal(error) from error
    return {"tasks": [task.payload() for task in tasks], "metadata": {"split": split}}


def _refusal(error: DataError) -> HTTPException:
    return HTTPException(status_code=422, detail={"code": error.error_code, "message": str(error)})
