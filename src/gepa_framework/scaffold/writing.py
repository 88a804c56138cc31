"""The files of a new distribution."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from gepa_framework.errors import GepaError
from gepa_framework.scaffold.naming import SCENARIO, Named
from gepa_framework.types import Kind

_COMMON = {
    ".gitignore": "common/gitignore",
    ".github/workflows/test.yml": "common/workflow.yml",
}
_PLUGIN = {
    "pyproject.toml": "common/pyproject.toml",
    "README.md": "common/README.md",
    "src/{module}/__init__.py": "common/init.py",
    "src/{module}/py.typed": "common/py.typed",
    "src/{module}/plugin.py": "{kind}/plugin.py",
    "tests/test_{module}.py": "{kind}/test_plugin.py",
}
_EXTRA = {"src/{module}/command.py": "extra/command.py"}
#: A task: its rows, the container that serves them, and a proposer that it can do with.
_TASK = {
    "src/{module}/__init__.py": "common/init.py",
    "src/{module}/py.typed": "common/py.typed",
    "src/{module}/data.py": "cookbook/data.py",
    "src/{module}/data/train.jsonl": "cookbook/train.jsonl",
    "src/{module}/data/test.jsonl": "cookbook/test.jsonl",
    "src/{module}/cards.py": "cookbook/cards.py",
    "src/{module}/container.py": "cookbook/container.py",
    "src/{module}/proposer.py": "cookbook/proposer.py",
    "tests/test_{module}_data.py": "cookbook/test_data.py",
    "tests/test_{module}_container.py": "cookbook/test_container.py",
    "tests/test_{module}_proposer.py": "cookbook/test_proposer.py",
}
_COOKBOOK = {
    "pyproject.toml": "cookbook/pyproject.toml",
    "README.md": "cookbook/README.md",
    "gepa.toml": "cookbook/gepa.toml",
    **_TASK,
    "tests/test_{module}_run.py": "cookbook/test_run.py",
}
_SCENARIO = {
    "pyproject.toml": "scenario/pyproject.toml",
    "README.md": "scenario/README.md",
    **_TASK,
    "src/{module}/scenario.py": "scenario/scenario.py",
    "src/{module}/artifact.py": "scenario/artifact.py",
    "tests/test_{module}_scenario.py": "scenario/test_scenario.py",
}


def rendered(new: Named) -> Mapping[str, str]:
    """Give every file of a new distribution: relative path to text."""
    plugin = {**_PLUGIN, **(_EXTRA if new.kind is Kind.EXTRA else {})}
    whole = {"cookbook": _COOKBOOK, SCENARIO: _SCENARIO}
    wanted = {**_COMMON, **whole.get(new.noun, plugin)}
    words = new.words()
    return {
        path.format(**words): _template(source.format(**words)).substitute(words)
        for path, source in wanted.items()
    }


def _template(source: str) -> Template:
    # Templates end in .txt, so that nobody takes them for code of this package.
    path = files(__package__).joinpath("templates", f"{source}.txt")
    return Template(path.read_text(encoding="utf-8"))


def write(new: Named, directory: Path) -> tuple[str, ...]:
    """Write a new distribution, whole or not at all, and give the files that it has.

    Args:
        new: Its names.
        directory: Where; must not be there yet.

    Raises:
        GepaError: The directory is there, or cannot be written.
    """
    if directory.exists() or directory.is_symlink():
        raise GepaError(f"{directory} exists", hint="--directory names another one, or choose another name")
    texts = rendered(new)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        try:
            for path, text in texts.items():
                _write_file(draft / path, text)
            draft.chmod(0o777 & ~_umask())
            draft.rename(directory)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise GepaError(f"{directory} cannot be written: {error.strerror or error}") from error
    return tuple(texts)


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _umask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found
