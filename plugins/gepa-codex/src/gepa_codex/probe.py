"""Asks the executable what it is before it is trusted with a run."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from gepa_codex import process
from gepa_codex.binary import CodexCommand
from gepa_codex.failures import CodexError, Verdict

#: Versions that the protocol and the settings were tested with: from, and below.
SUPPORTED: Final = ((0, 154), (0, 170))
_RANGE: Final = ">=0.154,<0.170"


@attrs.frozen
class CodexFacts:
    """What an executable says of itself.

    Attributes:
        version: Such as ``0.163.0``.
        features: Names of its features.
        models: Names of the models that it has a description of.
    """

    version: str
    features: frozenset[str]
    models: frozenset[str]


async def probe(command: CodexCommand, environ: Mapping[str, str], cwd: Path, seconds: float) -> CodexFacts:
    """Ask for version, features and models.

    Args:
        command: How codex is called.
        environ: Its whole environment.
        cwd: Where it is run.
        seconds: How long each of the three questions may take.

    Raises:
        CodexError: It cannot be run, fails, does not answer, or has a version that is not supported.
    """
    version = supported_version(await _output(command.subcommand("--version"), environ, cwd, seconds))
    features = await _output(command.subcommand("features", "list"), environ, cwd, seconds)
    models = await _output(command.subcommand("debug", "models", "--bundled"), environ, cwd, seconds)
    names = (line.split() for line in features.splitlines())
    return CodexFacts(version, frozenset(words[0] for words in names if words), _slugs(models))


def supported_version(text: str) -> str:
    """Give the version in what ``codex --version`` prints.

    Raises:
        CodexError: There is none, or it is outside of the supported range.
    """
    match = re.search(r"\b(\d+)\.(\d+)\.(\d+)\S*", text)
    if match is None:
        raise CodexError(f"codex --version gave no version but {text[:200]!r}", Verdict.FATAL)
    low, high = SUPPORTED
    if not low <= (int(match[1]), int(match[2])) < high:
        raise CodexError(
            f"codex {match[0]} is not supported, only {_RANGE}",
            Verdict.FATAL,
            hint=f"run `pip install 'openai-codex-cli-bin{_RANGE}'`, or name another in proposer.codex_bin",
        )
    return match[0]


def _slugs(text: str) -> frozenset[str]:
    try:
        return frozenset(str(model["slug"]) for model in json.loads(text)["models"])
    except (ValueError, LookupError, TypeError) as error:
        raise CodexError("codex debug models gave something else than models", Verdict.FATAL) from error


async def _output(command: tuple[str, ...], environ: Mapping[str, str], cwd: Path, seconds: float) -> str:
    child, _ = await process.spawn(command, environ, cwd)
    words = " ".join(("codex", *command[-2:]))
    try:
        async with asyncio.timeout(seconds):
            out, err = await child.communicate()
    except TimeoutError:
        message = f"`{words}` did not end within {seconds:g} s"
        raise CodexError(message, Verdict.RETRY, hint="raise proposer.start_timeout_seconds") from None
    finally:
        await process.kill(child)
    if child.returncode != 0:
        tail = err.decode("utf-8", "replace").strip()[-1000:]
        raise CodexError(f"`{words}` ended with exit code {child.returncode}: {tail}", Verdict.FATAL)
    return out.decode("utf-8", "replace")
