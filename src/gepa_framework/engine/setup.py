"""Set-up: the contract, the program, the rows, and whether the plan fits them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from gepa_framework.engine.effects import Describe, LoadProgram, LoadRows
from gepa_framework.engine.flow import Flow, ask
from gepa_framework.engine.plan import Plan
from gepa_framework.engine.pool import Pool
from gepa_framework.engine.run import Run
from gepa_framework.engine.shortages import shortages
from gepa_framework.errors import BudgetExceededError, ConfigError, InvariantError, Problem
from gepa_framework.types import (
    Candidate,
    ContainerInfo,
    JSONObject,
    Program,
    RowsRequest,
    TaskRow,
    digest,
)
from gepa_framework.types.events import ContractVerified, ProgramLoaded, RowsLoaded


def check_budget(plan: Plan) -> None:
    """Refuse a budget that cannot hold the least that a run needs.

    Raises:
        BudgetExceededError: With the numbers; nothing has been spent.
    """
    for message, hint in shortages(plan):
        raise BudgetExceededError(message, hint=hint)


def setup(run: Run) -> Flow[None]:
    """Learn what the container has, and hold the plan against it."""
    run.info = yield from _describe(run)
    run.program = yield from _program(run)
    run.targets = resolve_targets(run.plan, run.program)
    run.seed = Candidate.of(seed_texts(run.plan, run.program), prefix=run.plan.candidate_prefix)
    run.train = yield from _rows(run, "train", run.plan.train)
    run.heldout = yield from _rows(run, "heldout", run.plan.heldout)
    _check_apart(run.train, run.heldout)
    run.pareto = _subset(run.train, run.plan.pareto, "gepa.task_pools.pareto")
    run.minibatch_pool = _subset(run.train, run.plan.minibatch_pool, "gepa.task_pools.minibatch")
    run.pool = Pool(
        seed=run.plan.seed,
        rows=[row.id for row in run.pareto],
        remember=run.plan.include_rejected,
        kind=run.plan.frontier,
        objectives=run.plan.objectives,
    )


def _describe(run: Run) -> Flow[ContainerInfo]:
    info = yield from ask(Describe("container/metadata"))
    if not isinstance(info, ContainerInfo):
        raise InvariantError("the contract came back as something else")
    # The advertisement may hold addresses and times; only what defines the task is on the record.
    facts: JSONObject = {"name": info.name, "contract": info.contract, "task": info.task}
    run.emit(ContractVerified(name=info.name, contract=info.contract, digest=digest(facts)))
    return info


def _program(run: Run) -> Flow[Program]:
    program = yield from ask(LoadProgram("container/program"))
    if not isinstance(program, Program):
        raise InvariantError("the program came back as something else")
    names = tuple(spec.name for spec in program.components)
    texts: JSONObject = dict(program.seed)
    facts: JSONObject = {"names": names, "targets": program.targets, "seed": texts}
    run.emit(
        ProgramLoaded(
            program_id=program.program_id,
            task_id=program.task_id,
            components=names,
            targets=program.targets,
            digest=digest(facts),
        )
    )
    return program


def _rows(run: Run, purpose: str, request: RowsRequest) -> Flow[tuple[TaskRow, ...]]:
    rows = yield from ask(LoadRows(f"container/rows/{purpose}", request))
    if not isinstance(rows, tuple):
        raise InvariantError("rows came back as something else")
    ids = tuple(row.id for row in rows)
    run.emit(
        RowsLoaded(
            purpose=purpose,
            split=request.split,
            rows=ids,
            digest=digest([{"id": row.id, "data": row.data} for row in rows]),
        )
    )
    return rows


def _check_apart(train: Sequence[TaskRow], heldout: Sequence[TaskRow]) -> None:
    """Refuse a row that is to be searched on and reported on."""
    known = {(row.split, row.id) for row in train}
    for row in heldout:
        if (row.split, row.id) in known:
            message = f"{row.id!r} of split {row.split!r} is a training row as well"
            raise _problem("dataset", message, "name other heldout rows")


def _problem(path: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError(f"{path}: {message}", hint=hint, problems=(Problem(path, message, hint),))


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "the program has " + ", ".join(map(repr, known))


def resolve_targets(plan: Plan, program: Program) -> tuple[str, ...]:
    """Give the names of the components to improve.

    Raises:
        ConfigError: A target is not a component or module that may be changed, or there is none.
    """
    names = {spec.name for spec in program.components}
    by_module: dict[str, list[str]] = {}
    for spec in program.components:
        if spec.module_id:
            by_module.setdefault(spec.module_id, []).append(spec.name)
    targets: list[str] = []
    for position, target in enumerate(plan.target_modules):
        found = [target] if target in names else by_module.get(target)
        if found is None:
            raise _problem(
                f"candidate.target_modules.{position}",
                f"{target!r} is not a component that the container's program lets change",
                _did_you_mean(target, names | by_module.keys()),
            )
        targets += found
    chosen = tuple(dict.fromkeys(targets)) or program.targets or tuple(sorted(names))
    if not chosen:
        raise _problem("candidate", "the container's program has no component that may be changed")
    return chosen


def seed_texts(plan: Plan, program: Program) -> Mapping[str, str]:
    """Give the seed's texts: the program's, with those of the configuration in their place.

    Raises:
        ConfigError: A text is for no component of the program, or a target has none or one that is too long.
    """
    names = {spec.name for spec in program.components}
    for name in plan.seed_candidate or {}:
        if name not in names:
            raise _problem(
                f"seed_candidate.{name}",
                f"{name!r} is not a component that the container's program lets change",
                _did_you_mean(name, names),
            )
    texts = {**program.seed, **(plan.seed_candidate or {})}
    for name in resolve_targets(plan, program):
        if not texts.get(name):
            raise _problem(
                "seed_candidate", f"there is no text for {name!r} to start from", f"write {name} = ..."
            )
        if len(texts[name]) > plan.max_component_chars:
            raise _problem(
                "gepa.max_component_chars",
                f"{name!r} starts with {len(texts[name])} characters, and a text may have "
                f"{plan.max_component_chars}",
                "raise it to what a better text may have",
            )
    return texts


def _subset(rows: Sequence[TaskRow], wanted: Sequence[str], path: str) -> tuple[TaskRow, ...]:
    if not wanted:
        return tuple(rows)
    by_name = {str(row.seed): row for row in rows if row.seed is not None} | {row.id: row for row in rows}
    chosen: dict[str, TaskRow] = {}
    for position, name in enumerate(wanted):
        row = by_name.get(name)
        if row is None:
            raise _problem(f"{path}.{position}", f"{name!r} is not one of the training rows")
        if row.id in chosen:
            raise _problem(f"{path}.{position}", f"{name!r} is the row {row.id!r}, which is named already")
        chosen[row.id] = row
    return tuple(chosen.values())
