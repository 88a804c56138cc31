from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}
PACKAGES = sorted(
    path.parent for kind in ("plugins", "cookbooks") for path in ROOT.glob(f"{kind}/*/src/*/__init__.py")
)
SOURCES = [ROOT / "src", *sorted({package.parent for package in PACKAGES})]


#: The finder of an editable install would answer with the original tree instead of the copy.
_LINT = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in type(finder).__module__]
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True))
"""


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter over a tree, with every distribution of that tree on the path."""
    paths = [str(root / source.relative_to(ROOT)) for source in SOURCES]
    settings = {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "300", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", _LINT],
        cwd=root,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def broken(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Give the contracts that the linter found broken, by id."""
    names = {contract["name"]: contract["id"] for contract in CONTRACTS.values()}
    lines = [line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")]
    return {names[line] for line in lines}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Give a copy of everything that the linter reads."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", root)
    for source in SOURCES:
        shutil.copytree(
            source,
            root / source.relative_to(ROOT),
            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
        )
    # The linter reads sources, and the compiled module has none: its stub stands in for it.
    package = root / "src" / "gepa_framework"
    (package / "_core.pyi").rename(package / "_core.py")
    return root


@pytest.fixture
def plant(copy):
    """Add an import to a module of the copy, for one test."""
    touched: dict[Path, str | None] = {}

    def plant(module: str, line: str) -> subprocess.CompletedProcess[str]:
        path = copy / module
        touched.setdefault(path, path.read_text() if path.exists() else None)
        with path.open("a") as file:
            file.write(f"\n\ndef planted() -> None:\n    {line}\n")
        return lint(copy)

    yield plant
    for path, text in touched.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text)


@pytest.mark.timeout(120)
def test_the_tree_keeps_every_contract(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in done.stdout


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("module", "line", "contracts"),
    [
        ("src/gepa_framework/engine/plan.py", "import gepa_framework.runtime", {"layers", "pure-engine"}),
        ("src/gepa_framework/net/redact.py", "import gepa_framework.engine.plan", {"layers"}),
        ("src/gepa_framework/workspace/lock.py", "import gepa_framework.app.files", {"layers"}),
        ("src/gepa_framework/app/files.py", "import gepa_framework.cli.main", {"layers"}),
        ("src/gepa_framework/engine/plan.py", "import asyncio", {"pure-engine"}),
        ("src/gepa_framework/types/run.py", "import random", {"pure-engine"}),
        ("src/gepa_framework/runtime/crew.py", "import httpx", {"http-door"}),
        ("src/gepa_framework/runtime/crew.py", "import gepa_framework._core", {"native-door"}),
        ("src/gepa_framework/app/files.py", "import rich", {"terminal-door"}),
        ("src/gepa_framework/app/inspect/curve.py", "import svg", {"drawing-door"}),
        ("src/gepa_framework/cli/told.py", "import jinja2", {"drawing-door"}),
        ("src/gepa_framework/app/files.py", "import stevedore", {"stevedore-door"}),
        ("src/gepa_framework/app/files.py", "import pluggy", {"pluggy-door"}),
        ("src/gepa_framework/app/files.py", "import gepa_codex", {"no-plugin-in-framework"}),
        ("src/gepa_framework/app/files.py", "import redis", {"redis-door"}),
        ("plugins/gepa-mlflow/src/gepa_mlflow/plugin.py", "import mlflow", {"mlflow-door"}),
        ("src/gepa_framework/app/files.py", "import opentelemetry.sdk", {"opentelemetry-door"}),
        ("src/gepa_framework/app/files.py", "import pytest", {"pytest-door"}),
        ("src/gepa_framework/runtime/crew.py", "import hypothesis", {"pytest-door"}),
        (
            "plugins/gepa-codex/src/gepa_codex/usage.py",
            "import gepa_framework.engine.plan",
            {"public-surface"},
        ),
        ("plugins/gepa-codex/src/gepa_codex/usage.py", "import gepa_synth_containers", {"plugins-apart"}),
    ],
)
def test_a_planted_import_breaks_the_contract_that_forbids_it(plant, module, line, contracts):
    done = plant(module, line)
    assert done.returncode == 1, done.stdout + done.stderr
    found = broken(done)
    assert found == contracts


@pytest.mark.timeout(120)
def test_a_layer_that_nobody_placed_is_noticed(copy, plant):
    done = plant("src/gepa_framework/attic.py", "pass")
    assert done.returncode == 1
    assert broken(done) == {"layers"}
    assert "attic" in done.stdout


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_plugin_and_cookbook_is_named_in_the_contracts(package):
    assert package.name in CONFIG["root_packages"]
    assert package.name in CONTRACTS["no-plugin-in-framework"]["forbidden_modules"]
    assert package.name in CONTRACTS["plugins-apart"]["modules"]


def test_no_contract_names_what_is_not_there():
    there = {package.name for package in PACKAGES}
    assert len(there) >= 3
    assert set(CONFIG["root_packages"]) == there | {"gepa_framework"}
    assert set(CONTRACTS["plugins-apart"]["modules"]) == there


def test_every_package_but_the_public_ones_is_protected():
    public = {"types", "hookspecs", "net", "errors", "testing", "_core"}
    packages = {
        path.name
        for path in (ROOT / "src" / "gepa_framework").iterdir()
        if (path / "__init__.py").exists() and path.name not in public
    }
    protected = {
        name.removeprefix("gepa_framework.") for name in CONTRACTS["public-surface"]["protected_modules"]
    }
    assert protected == packages


_WORLD = {
    name for name in CONTRACTS["pure-engine"]["forbidden_modules"] if not name.startswith("gepa_framework")
} | {"alembic", "cattrs", "packaging", "sqlalchemy", "tomlkit"}
_REPORT = """
import sys
before = set(sys.modules)
{imports}
print(*sorted({{name.split(".")[0] for name in set(sys.modules) - before}}))
"""


def loaded_with(*modules: str) -> set[str]:
    """Give the top-level modules that importing some brings in, in a fresh interpreter."""
    imports = "\n".join(f"import {module}" for module in modules)
    done = subprocess.run(
        [sys.executable, "-c", _REPORT.format(imports=imports)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["gepa_framework.types", "gepa_framework.engine"])
def test_the_pure_part_brings_no_world_with_it(module):
    found = loaded_with(module)
    # What attrs and the standard library load for themselves is none of our doing.
    brought = loaded_with("attrs", "difflib", "hashlib", "json", "logging", "pathlib")
    assert "gepa_framework" in found
    assert _WORLD & (found - brought) == set()


def test_the_check_of_what_is_loaded_has_teeth():
    assert {"asyncio", "sqlite3"} <= _WORLD & loaded_with("gepa_framework.runtime")


def test_the_package_alone_loads_nothing_heavy():
    assert {"alembic", "asyncio", "click", "httpx", "rich", "sqlalchemy"} & loaded_with(
        "gepa_framework"
    ) == set()
