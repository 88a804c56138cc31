from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from gepa_framework import _core

STUB = ast.parse((Path(__file__).parents[2] / "src" / "gepa_framework" / "_core.pyi").read_text())
PRIVATE = re.compile(r"_(?!_)|__(?!init__|len__)")


def stub_of(body):
    """Public names of a body; of a function, its parameters: (names, how many are keyword-only, defaults)."""
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = parameters(node.args)
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = None
    return {name: shape for name, shape in found.items() if not PRIVATE.match(name)}


def parameters(args):
    names = [arg.arg for arg in args.args + args.kwonlyargs]
    defaults = [ast.literal_eval(value) for value in args.defaults + args.kw_defaults if value is not None]
    return names, len(args.kwonlyargs), defaults


def signature_of(function):
    """Parameters as pybind11 writes them in the first line of a docstring."""
    line = function.__doc__.splitlines()[0]
    return parameters(ast.parse(f"def {line}: ...").body[0].args)


def runtime_of(owner):
    return {name: value for name, value in vars(owner).items() if not PRIVATE.match(name)}


def classes():
    return [node for node in STUB.body if isinstance(node, ast.ClassDef)]


def functions(owner, body):
    return [
        pytest.param(getattr(owner, name), shape, id=f"{owner.__name__}.{name}")
        for name, shape in stub_of(body).items()
        if inspect.isroutine(getattr(owner, name)) and name != "__len__"
    ]


def documented_functions():
    found = functions(_core, STUB.body)
    for node in classes():
        found += functions(getattr(_core, node.name), node.body)
    return found


def test_stub_and_module_have_the_same_names():
    assert set(stub_of(STUB.body)) == set(runtime_of(_core))


@pytest.mark.parametrize("node", classes(), ids=lambda node: node.name)
def test_stub_and_class_have_the_same_members(node):
    owner = getattr(_core, node.name)
    constructor = {"__init__"} if owner in (_core.Decision, _core.AddReport, _core.Merge) else set()
    assert set(stub_of(node.body)) == set(runtime_of(owner)) - constructor


@pytest.mark.parametrize(("function", "shape"), documented_functions())
def test_stub_and_function_have_the_same_parameters(function, shape):
    assert shape == signature_of(function)


@pytest.mark.parametrize(("function", "shape"), documented_functions())
def test_every_function_is_documented(function, shape):
    assert function.__name__ == "__init__" or len(function.__doc__.strip().splitlines()) > 1


@pytest.mark.parametrize("node", classes(), ids=lambda node: node.name)
def test_every_class_and_property_is_documented(node):
    owner = getattr(_core, node.name)
    assert owner.__doc__
    assert all(value.__doc__ for value in vars(owner).values() if isinstance(value, property))


def test_stream_constants_have_the_stubs_values():
    for node in STUB.body:
        if isinstance(node, ast.AnnAssign) and node.target.id.startswith("STREAM_"):
            assert getattr(_core, node.target.id) == node.value.value


@pytest.mark.parametrize("name", ["Rng", "Frontier", "AddReport", "Decision", "Lineage", "Merge", "Merger"])
def test_native_classes_are_final_as_the_stub_says(name):
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Heir", (getattr(_core, name),), {})
