"""What distributions ask of one another, and what the configuration asks of the installation."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from gepa_framework.errors import PluginError, PluginIncompatibleError, PluginNotFoundError
from gepa_framework.types.version import VERSION

FRAMEWORK = "gepa-framework"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def blocked_names(block: Sequence[str]) -> frozenset[str]:
    """Normalise the distribution names of ``plugins.block``.

    Raises:
        PluginError: One of them cannot be a distribution's name, and would block nothing.
    """
    for name in block:
        if not _NAME.fullmatch(name):
            raise PluginError(
                f"plugins.block: {name!r} is not the name of a distribution",
                hint="write the name alone, without version or plugin, such as 'gepa-codex'",
            )
    return frozenset(canonicalize_name(name) for name in block)


def check_required(require: Sequence[str], blocked: frozenset[str]) -> None:
    """Hold ``plugins.require`` against what is installed.

    Raises:
        PluginError: An entry is not a requirement.
        PluginIncompatibleError: A distribution is both required and blocked.
        PluginNotFoundError: Some are not installed in a fitting version; names all of them.
    """
    wanted = [_parse(text) for text in require]
    both = [want.name for want in wanted if canonicalize_name(want.name) in blocked]
    if both:
        raise PluginIncompatibleError(
            f"plugins.require and plugins.block both name {', '.join(both)}",
            hint="take it out of one of them",
        )
    missing = [want for want in wanted if not _met(want)]
    if missing:
        raise PluginNotFoundError(
            f"plugins.require: not installed: {', '.join(map(_shortfall, missing))}", hint=pip_line(missing)
        )


def unmet(requires: Iterable[str]) -> list[Requirement]:
    """Give those ``Requires-Dist`` lines that the installation does not meet."""
    return [want for want in _readable(requires) if not _met(want)]


def framework_range_refused(requires: Iterable[str]) -> str:
    """Give the range of this framework that a distribution asks for, when it does not hold; else ``""``."""
    for line in requires:
        named = _NAME.match(line)
        if named is None or canonicalize_name(named[0]) != FRAMEWORK:
            continue
        try:
            want = Requirement(line)
        except InvalidRequirement:
            return line
        if _applies(want) and not want.specifier.contains(VERSION, prereleases=True):
            return str(want.specifier)
    return ""


def pip_line(wanted: Iterable[Requirement]) -> str:
    """Give the command that installs what is wanted."""
    return "pip install " + " ".join(shlex.quote(f"{want.name}{want.specifier}") for want in wanted)


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise PluginError(
            f"plugins.require: {text!r} is not a requirement", hint="write it as pip does: 'gepa-codex>=0.1'"
        ) from error


def _readable(requires: Iterable[str]) -> Iterable[Requirement]:
    for line in requires:
        try:
            yield Requirement(line)
        except InvalidRequirement:
            # Old metadata holds such lines for the makers' own extras; only hints are made from these.
            continue


def _applies(want: Requirement) -> bool:
    return want.marker is None or want.marker.evaluate({"extra": ""})


def _met(want: Requirement) -> bool:
    if not _applies(want):
        return True
    try:
        return want.specifier.contains(Version(_installed(want.name)), prereleases=True)
    except InvalidVersion:
        return False


def _installed(name: str) -> str:
    if canonicalize_name(name) == FRAMEWORK:
        return VERSION
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _shortfall(want: Requirement) -> str:
    installed = _installed(want.name)
    return f"{want.name}{want.specifier}" + (f" ({installed} is installed)" if installed else "")
