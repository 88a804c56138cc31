"""The scenarios ``banking77``, on the sample, and ``banking77/full``, on the real data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gepa_cookbook_banking77.data import DATA_ENV
from gepa_cookbook_banking77.rollouts import COMPONENT
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Artifact, JSONObject, Kind, PluginInfo, Scenario, ScoreShape, Smoke, Tool

plugin_info = PluginInfo(
    kind=Kind.EXTRA,
    name="scenario.banking77",
    api=">=1.0,<2",
    summary="Banking77 intents, on a sample that comes with it or on the real data; offline.",
)

_PACKAGE: Final = "gepa_cookbook_banking77"
_PYTHON: Final = Tool("{python}", ">=3.11")


def _config(
    *, train: str, heldout: str, pareto: str, minibatch: str, size: int, evidence: JSONObject | None = None
) -> JSONObject:
    return {
        "run": {"output_dir": "runs", "seed": 7},
        "container": {"transport": "synth_containers"},
        "dataset": {
            "train_split": "train",
            "heldout_split": "test",
            "train_seeds": train,
            "heldout_seeds": heldout,
        },
        "candidate": {"target_modules": [COMPONENT]},
        "policy": {"provider": "lexical"},
        "proposer": {"backend": "lexical_reflector"},
        "gepa": {
            "minibatch_size": size,
            **({"evidence": evidence} if evidence else {}),
            "task_pools": {"pareto": pareto, "minibatch": minibatch},
            "pipeline": {"workers": {"rollout": 8}},
        },
    }


def _scenario(
    name: str, summary: str, config: JSONObject, rollouts: int, environ: dict[str, str]
) -> Scenario:
    return Scenario(
        id=name,
        summary=summary,
        config=config,
        tools=(_PYTHON,),
        environ=environ,
        command=("{python}", "-m", f"{_PACKAGE}.container", "--port", "{port}"),
        artifact=Artifact(components=(COMPONENT,)),
        validator=("{python}", "-m", f"{_PACKAGE}.artifact", "validate", "{artifact}"),
        scorer=("{python}", "-m", f"{_PACKAGE}.artifact", "score", "{artifact}"),
        score=ScoreShape("accuracy", unit="share of queries"),
        budgets={"max_total_rollouts": rollouts},
        smoke=Smoke(seconds=60.0),
    )


SAMPLE: Final = _scenario(
    "banking77",
    "Banking77 intents on the sample that comes with it: offline, no key, some seconds.",
    _config(train="0-223", heldout="20000-20111", pareto="0-55", minibatch="56-223", size=84),
    3000,
    {},
)
FULL: Final = _scenario(
    "banking77/full",
    "Banking77 intents on the real data: offline, no key, about a minute.",
    _config(
        train="0-7999",
        heldout="20000-20499",
        pareto="0-199",
        minibatch="200-7999",
        size=500,
        evidence={"max_bytes": 1_000_000},
    ),
    20_000,
    {DATA_ENV: f"the directory with train.csv and test.csv; python -m {_PACKAGE}.download gets them"},
)


@hookimpl
def gepa_scenarios() -> Sequence[Scenario]:
    """Give both."""
    return [SAMPLE, FULL]
