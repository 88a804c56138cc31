"""The report that an unexpected error leaves behind."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.types.version import VERSION


def write_report(error: BaseException, run_dir: Path | None, args: Sequence[str]) -> Path:
    """Write what is needed to find the bug, with secrets taken out.

    Args:
        error: What nobody expected.
        run_dir: The run's directory; a temporary one where it does not exist.
        args: The command line.

    Returns:
        The file.
    """
    directory = run_dir if run_dir is not None and run_dir.is_dir() else None
    text = Redactor(secrets_of(os.environ))(_text(error, args))
    handle, name = tempfile.mkstemp(prefix="gepa-bug-", suffix=".txt", dir=directory)
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return Path(name)


def _text(error: BaseException, args: Sequence[str]) -> str:
    facts = [
        f"gepa-framework {VERSION}",
        f"Python {sys.version}",
        platform.platform(),
        f"arguments: {' '.join(_without_values(args))}",
        "",
    ]
    return "\n".join(facts) + "\n" + "".join(traceback.format_exception(error))


def _without_values(args: Sequence[str]) -> list[str]:
    """Give the arguments with the values of overrides left out; any of them may be a secret."""
    return [arg.partition("=")[0] + "=…" if "=" in arg else arg for arg in args]
