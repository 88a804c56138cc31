"""Reading ``prompt_program.v1``: what a candidate may change, and what it starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from gepa_framework.errors import ContainerContractError
from gepa_framework.types import ComponentSpec, JSONObject, JSONValue, Program
from gepa_synth_containers.contract import mapping

VERSION = "prompt_program.v1"


def _objects(value: JSONValue, path: str, problems: list[str]) -> Iterator[tuple[str, JSONObject]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        problems.append(f"{path} must be an array, got {_kind(value)}")
        return
    for index, item in enumerate(value):
        if isinstance(item, Mapping):
            yield f"{path}[{index}]", item
        else:
            problems.append(f"{path}[{index}] must be an object, got {_kind(item)}")


def _kind(value: JSONValue) -> str:
    return "nothing" if value is None else type(value).__name__


def _text(item: JSONObject, key: str, path: str, problems: list[str], *, needed: bool = False) -> str:
    value = item.get(key)
    if value is None and not needed:
        return ""
    if isinstance(value, str) and (value or not needed):
        return value
    problems.append(f"{path}.{key} must be a {'non-empty ' if needed else ''}string, got {value!r:.60}")
    return ""


def _component(item: JSONObject, path: str, problems: list[str]) -> ComponentSpec | None:
    """Read a module; one that is not mutable is no component."""
    module_id = _text(item, "module_id", path, problems, needed=True)
    if not item.get("mutable"):
        return None
    field = _text(item, "candidate_field", path, problems)
    if not field:
        problems.append(f"{path} ({module_id!r}) is mutable but has no candidate_field")
        return None
    return ComponentSpec(
        name=field,
        module_id=module_id,
        role=_text(item, "role", path, problems),
        template_variables=_variables(item.get("template_variables"), path, problems),
    )


def _variables(value: JSONValue, path: str, problems: list[str]) -> tuple[str, ...]:
    """Read the names of variables; an entry may be an object that has its name as ``name``."""
    if value is None:
        return ()
    path = f"{path}.template_variables"
    if not isinstance(value, Sequence) or isinstance(value, str):
        problems.append(f"{path} must be an array, got {_kind(value)}")
        return ()
    names: list[str] = []
    for index, item in enumerate(value):
        name = item.get("name") if isinstance(item, Mapping) else item
        if isinstance(name, str) and name.strip():
            names.append(name)
        else:
            problems.append(f"{path}[{index}] must be the name of a variable, got {item!r:.60}")
    return tuple(names)


def _components(raw: JSONObject, problems: list[str]) -> tuple[dict[str, ComponentSpec], dict[str, str]]:
    specs: dict[str, ComponentSpec] = {}
    contents: dict[str, str] = {}
    for path, item in _objects(raw.get("modules"), "/program.modules", problems):
        spec = _component(item, path, problems)
        if spec is None:
            continue
        if spec.name in specs:
            problems.append(f"{path}.candidate_field {spec.name!r} is used by another module already")
        specs[spec.name] = spec
        contents[spec.name] = _text(item, "content", path, problems)
    if not specs and not problems:
        problems.append("/program.modules has no mutable module, so there is nothing to optimise")
    return specs, contents


def _undeclared(path: str, field: str, specs: Mapping[str, ComponentSpec]) -> str:
    return f"{path} names {field!r}, which no mutable module declares; declared are {sorted(specs)}"


def _targets(raw: JSONObject, specs: Mapping[str, ComponentSpec], problems: list[str]) -> dict[str, str]:
    """Give the target fields and their objectives; a program that names none wants all of them."""
    found: dict[str, str] = {}
    for path, item in _objects(raw.get("target_modules") or [], "/program.target_modules", problems):
        field = _text(item, "candidate_field", path, problems)
        if not field:
            problems.append(f"{path} ({item.get('module_id')!r}) has no candidate_field")
        elif field not in specs:
            problems.append(_undeclared(f"{path}.candidate_field", field, specs))
        else:
            found[field] = _text(item, "objective", path, problems)
    return found or dict.fromkeys(specs, "")


def _seed(
    raw: JSONObject, specs: Mapping[str, ComponentSpec], contents: Mapping[str, str], problems: list[str]
) -> dict[str, str]:
    """Give the seed texts; where `seed_candidate` is silent, a module's own content is its seed."""
    value = raw.get("seed_candidate") or {}
    if not isinstance(value, Mapping):
        problems.append(f"/program.seed_candidate must be an object, got {_kind(value)}")
        return {}
    seed = dict(contents)
    for field, text in value.items():
        path = f"/program.seed_candidate.{field}"
        if field not in specs:
            problems.append(_undeclared(path, field, specs))
        elif isinstance(text, str):
            seed[field] = text
        else:
            problems.append(f"{path} must be a string, got {_kind(text)}")
    return seed


def _check_overlay(raw: JSONObject, specs: Mapping[str, ComponentSpec], problems: list[str]) -> None:
    fields = mapping(raw.get("rollout_overlay_schema")).get("candidate_fields") or []
    if not isinstance(fields, Sequence) or isinstance(fields, str):
        problems.append(
            f"/program.rollout_overlay_schema.candidate_fields must be an array, got {_kind(fields)}"
        )
        return
    for field in fields:
        if field not in specs:
            path = "/program.rollout_overlay_schema.candidate_fields"
            problems.append(_undeclared(path, str(field), specs))


def _identity(value: JSONValue) -> str:
    return value if isinstance(value, str) else ""


def read_program(value: JSONValue) -> Program:
    """Read the answer of ``GET /program``; texts stay as they are, byte for byte.

    Raises:
        ContainerContractError: It is not a ``prompt_program.v1``; the message names every field at fault.
    """
    if not isinstance(value, Mapping):
        raise ContainerContractError(f"/program must be an object, got {_kind(value)}")
    if value.get("version") != VERSION:
        raise ContainerContractError(f"/program.version must be {VERSION!r}, got {value.get('version')!r}")
    problems: list[str] = []
    specs, contents = _components(value, problems)
    targets = _targets(value, specs, problems)
    seed = _seed(value, specs, contents, problems)
    _check_overlay(value, specs, problems)
    if problems:
        raise ContainerContractError("; ".join(problems))
    program_id = _identity(value.get("program_id"))
    return Program(
        program_id=program_id,
        task_id=_identity(mapping(value.get("metadata")).get("task_id")) or program_id,
        components=tuple(attrs.evolve(spec, objective=targets.get(spec.name, "")) for spec in specs.values()),
        targets=tuple(targets),
        seed=seed,
        raw=value,
    )
