"""What holds in a configuration, and why: for whoever wonders where a value came from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from gepa_framework.app.prepare import prepare_file
from gepa_framework.config.explained import Explained
from gepa_framework.config.explained import explain as explain_loaded
from gepa_framework.errors import Problem
from gepa_framework.net.redact import MASK, Redactor, secrets_of

_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+(?=@)")


@attrs.frozen
class Explanation:
    """A configuration with where all of it came from.

    Attributes:
        file: The file as it was named.
        values: Every value that holds, secrets masked.
        warnings: What is legal but does not do what its reader may think.
    """

    file: str
    values: tuple[Explained, ...]
    warnings: tuple[Problem, ...]


def explain_config(
    path: str | Path, *, sets: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Explanation:
    """Tell where every value of a configuration came from; spends nothing and writes nothing.

    Args:
        path: The configuration file.
        sets: Overrides as ``dotted.path=value``.
        environ: Where environment overrides come from; the process's own where ``None``.

    Raises:
        ConfigError: With every problem of the configuration.
        PluginError: A selected plugin cannot be used.
    """
    environ = os.environ if environ is None else environ
    loaded = prepare_file(Path(path), sets=sets, environ=environ).loaded
    redact = Redactor(secrets_of({**os.environ, **environ}))
    return Explanation(
        loaded.file, tuple(_discreet(each, redact) for each in explain_loaded(loaded)), loaded.warnings
    )


def _discreet(value: Explained, redact: Redactor) -> Explained:
    overruled = tuple(attrs.evolve(each, value=_clean(each.value, redact)) for each in value.overruled)
    return attrs.evolve(value, value=_clean(value.value, redact), overruled=overruled)


def _clean(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return _PASSWORD_IN_URL.sub(rf"\1:{MASK}", redact(value))
    if isinstance(value, Mapping):
        return {key: _clean(item, redact) for key, item in value.items()}
    return [_clean(item, redact) for item in value] if isinstance(value, list | tuple) else value
