"""One rollout: cards, a query, a policy's answer, its score and what can be learnt from it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import attrs

from gepa_cookbook_banking77.errors import DataError
from gepa_cookbook_banking77.policies import JSON, Policy, PolicyError, Question, Verdict, choose_policy
from gepa_cookbook_banking77.tasks import Payload, Task, Taskset

#: The one component that may be changed.
COMPONENT: Final = "intent_cards"


@attrs.frozen
class Grader:
    """Runs rollouts.

    Attributes:
        taskset: The rows; the label that counts is the one in here, whatever a request says.
        policies: Provider name to policy.
    """

    taskset: Taskset
    policies: Mapping[str, Policy]

    async def run(self, request: JSON) -> Payload:
        """Run one request of the container contract; a failure is an answer, too."""
        rollout_id = str(request.get("rollout_id", ""))
        try:
            task, question = self._question(request)
            verdict = await choose_policy(question.policy, self.policies)(question)
        except PolicyError as error:
            return _failed(rollout_id, error)
        return _scored(rollout_id, task, verdict)

    def _question(self, request: JSON) -> tuple[Task, Question]:
        task = self._task(request)
        question = Question(
            query=task.row.query,
            cards=_cards(request),
            labels=self.taskset.dataset.labels,
            expected=task.row.label,
            policy=_mapping(request.get("policy")),
        )
        return task, question

    def _task(self, request: JSON) -> Task:
        row = _mapping(request.get("task")) or _mapping(request.get("dataset_row"))
        task_id, split = row.get("task_id"), row.get("split", "train")
        if not isinstance(task_id, str) or not isinstance(split, str):
            raise PolicyError("task_missing", "the rollout request has no task with a task_id")
        try:
            return self.taskset.find(task_id, task_id.rpartition(":")[0] or split)
        except DataError as error:
            raise PolicyError("task_unknown", str(error)) from error


def _cards(request: JSON) -> str:
    overlay = _mapping(_mapping(request.get("candidate_overlay")).get("candidate"))
    texts = overlay or _mapping(request.get("candidate"))
    cards = texts.get(COMPONENT)
    if not isinstance(cards, str):
        given = ", ".join(map(str, texts)) or "nothing"
        raise PolicyError("candidate_missing", f"the candidate has no text {COMPONENT!r}; it has {given}")
    return cards


def _mapping(value: object) -> JSON:
    return value if isinstance(value, Mapping) else {}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _scored(rollout_id: str, task: Task, verdict: Verdict) -> Payload:
    right = verdict.answer == task.row.label
    score = 1.0 if right else 0.0
    now = _now()
    return {
        "rollout_id": rollout_id,
        "task_id": task.task_id,
        "status": "completed",
        "success_status": "succeeded",
        "reward_info": {"outcome_reward": score},
        "objective_scores": [{"objective": "accuracy", "value": score, "source": "container"}],
        "summary": {"outcome_reward": score, "output": verdict.answer},
        "actionable_side_info": _side_info(task, verdict, right=right),
        "usage": dict(verdict.usage),
        "created_at": now,
        "updated_at": now,
    }


def _side_info(task: Task, verdict: Verdict, *, right: bool) -> Payload:
    answered = verdict.answer or "no intent"
    feedback = f"right: {answered}" if right else f"wrong: answered {answered}, expected {task.row.label}"
    return {
        "query": task.row.query,
        "answered": verdict.answer,
        "expected": task.row.label,
        **verdict.notes,
        "feedback": f"{feedback}; {verdict.said}" if verdict.said else feedback,
    }


def _failed(rollout_id: str, error: PolicyError) -> Payload:
    now = _now()
    failure = {
        "code": error.code,
        "message": error.message,
        "retryable": error.retryable,
        "http_status": error.http_status,
        "retry_after": error.retry_after,
    }
    return {
        "rollout_id": rollout_id,
        "status": "failed",
        "success_status": "error",
        "status_detail": f"{error.code}: {error.message}",
        "error": failure,
        "metadata": {"error_code": error.code, "retryable": error.retryable},
        "created_at": now,
        "updated_at": now,
    }
