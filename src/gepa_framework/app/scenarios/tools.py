"""Whether the programs and variables that a scenario needs are there."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from gepa_framework.app.scenarios.checks import Check, failed, passed
from gepa_framework.app.scenarios.commands import run_command
from gepa_framework.types import Scenario, Tool

#: How long a program may take to tell its version.
_SECONDS = 10.0
_PYTHON = "{python}"


def check_needs(scenario: Scenario, environ: Mapping[str, str], cwd: Path) -> Iterator[Check]:
    """Look at every tool and variable; nothing but the tools' own versions is asked for."""
    for tool in scenario.tools:
        yield _check_tool(tool, environ, cwd)
    for name, purpose in scenario.environ.items():
        if environ.get(name):
            yield passed(f"variable {name}", "is set")
        else:
            yield failed(f"variable {name}", "is not set", f"set it: {purpose}" if purpose else "set it")


def _check_tool(tool: Tool, environ: Mapping[str, str], cwd: Path) -> Check:
    name = "tool python" if tool.name == _PYTHON else f"tool {tool.name}"
    path = sys.executable if tool.name == _PYTHON else shutil.which(tool.name, path=environ.get("PATH"))
    if path is None:
        return failed(name, "is not on PATH", tool.cure or f"install {tool.name} {tool.versions}".rstrip())
    if not tool.versions:
        return passed(name, path)
    done = run_command([path, *tool.ask], _SECONDS, cwd=cwd, environ=environ)
    asked = " ".join([path, *tool.ask])
    if done.trouble:
        return failed(name, f"{asked} {done.trouble}", tool.cure)
    found = re.search(tool.pattern, done.output)
    if found is None:
        return failed(name, f"{asked} told no version: {done.last_line[:200]!r}", tool.cure)
    return _hold(name, tool, found[1], path)


def _hold(name: str, tool: Tool, told: str, path: str) -> Check:
    try:
        fits = SpecifierSet(tool.versions).contains(Version(told), prereleases=True)
    except InvalidVersion:
        return failed(name, f"{path} told a version that cannot be read: {told!r}", tool.cure)
    if fits:
        return passed(name, f"{told} in {path}")
    cure = tool.cure or f"install a version {tool.versions}"
    return failed(name, f"{path} is {told}, and {tool.versions} is needed", cure)
