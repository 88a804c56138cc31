"""A container written with the plain SDK class, as its documentation teaches it."""

from __future__ import annotations

import asyncio
import os
import threading

import uvicorn
from synth_containers import (
    Container,
    ObjectiveScore,
    PromptModule,
    PromptProgram,
    RolloutResult,
    TargetModule,
)

SEED_TEXT = "  You classify.\n\tKeep every byte: é \r\n"
ROWS = {
    split: [
        {"task_id": f"{split}:{index}", "text": f"query {index}", "label": f"class {index % 3}"}
        for index in range(30)
    ]
    for split in ("train", "test")
}


def build(*, by_number=False):
    """Build the container; `by_number` gives rows by the decimal text of their index."""
    container = Container("toy", description="A toy.", default_submission_mode="sync")
    container.received = []
    container.began = threading.Event()
    container.ended = threading.Event()

    @container.task_info
    def task_info():
        return {"task": {"task_id": "toy-task", "name": "toy"}, "output_space": {"kind": "closed"}}

    @container.program
    def program():
        return PromptProgram(
            program_id="toy-program",
            modules=[
                PromptModule(
                    module_id="system", role="system", content="x", mutable=True, candidate_field="m"
                ),
                PromptModule(module_id="fixed", role="user", content="{query}"),
            ],
            target_modules=[TargetModule(module_id="system", candidate_field="m", objective="accuracy")],
            seed_candidate={"m": SEED_TEXT},
            rollout_overlay_schema={"candidate_fields": ["m"]},
            metadata={"task_id": "toy-task"},
        ).to_dict()

    @container.taskset
    def taskset():
        return {"taskset_id": "toy", "splits": {split: len(rows) for split, rows in ROWS.items()}}

    @container.taskset_tasks
    def taskset_tasks(request):
        container.received.append(request)
        rows = ROWS[request["split"]]
        place = int if by_number else {row["task_id"]: i for i, row in enumerate(rows)}.__getitem__
        return {"tasks": [rows[place(task_id)] for task_id in request["task_ids"]], "metadata": {}}

    @container.rollout
    async def rollout(request):
        container.received.append(request)
        text = request["candidate"]["m"]
        if text == "raise":
            raise RuntimeError("the environment crashed")
        if text == "slow":
            container.began.set()
            try:
                await asyncio.sleep(60)
            finally:
                container.ended.set()
        return RolloutResult(
            rollout_id=request["rollout_id"],
            reward=0.25,
            task_id=request["task_id"],
            objective_scores=[
                ObjectiveScore("accuracy", 0.25, rationale="one of four"),
                ObjectiveScore("brevity", 0.5),
            ],
            actionable_side_info={"expected": "class 1"},
            reward_details={"missed": 3},
            summary={"outcome_reward": 0.25, "prediction": text},
            usage={
                "prompt_tokens": 3,
                "completion_tokens": 2,
                "total_tokens": 5,
                "cost_usd": 0.01,
                "model": "m1",
            },
            trace={"event_history": [{"step": 1}]},
        ).to_dict()

    return container


if __name__ == "__main__":
    uvicorn.run(build().fastapi(), host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
