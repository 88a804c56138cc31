"""Finds the codex executable, and says what was tried when there is none."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from gepa_codex.config import CodexProposerConfig
from gepa_codex.failures import CodexError, Verdict

BIN_VARIABLE: Final = "GEPA_CODEX_BIN"
INSTALL: Final = (
    "install it with `pip install 'gepa-codex[bin]'` or `npm install -g @openai/codex`, "
    f"or name it in proposer.codex_bin or {BIN_VARIABLE}"
)
_SERVER: Final = "app-server"


@attrs.frozen
class CodexCommand:
    """How codex is called.

    Attributes:
        program: The executable and what has to stand before any subcommand.
        arguments: What the user wants to stand behind ``app-server``.
        source: Where it was found, for people.
    """

    program: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    source: str = ""

    def subcommand(self, *words: str) -> tuple[str, ...]:
        """Give the command line of a subcommand."""
        return (*self.program, *words)

    def server(self) -> tuple[str, ...]:
        """Give the command line of the app-server."""
        return (*self.program, _SERVER, *self.arguments, "--strict-config", "--listen", "stdio://")

    @property
    def search_path(self) -> tuple[str, ...]:
        """The directories of the executable and of the helpers that ship beside it."""
        program = Path(self.program[0])
        folders = (program.resolve().parent.parent / "codex-resources", program.parent)
        return tuple(str(folder) for folder in folders if folder.is_dir())


def find_codex(config: CodexProposerConfig, environ: Mapping[str, str], base_dir: Path) -> CodexCommand:
    """Find codex: as configured, by environment, in the wheel, on PATH; the first that is named is used.

    Raises:
        CodexError: There is none, or the one that is named cannot be run; lists what was tried.
    """
    if config.command is not None:
        return _from_command(config.command, environ, base_dir)
    if config.codex_bin is not None:
        return CodexCommand(
            (_named(config.codex_bin, "proposer.codex_bin", environ, base_dir),), (), "codex_bin"
        )
    if environ.get(BIN_VARIABLE):
        path = _named(environ[BIN_VARIABLE], BIN_VARIABLE, environ, base_dir)
        return CodexCommand((path,), (), BIN_VARIABLE)
    return _installed(environ)


def _from_command(command: tuple[str, ...], environ: Mapping[str, str], base_dir: Path) -> CodexCommand:
    path = _named(command[0], "proposer.command", environ, base_dir)
    words = command[1:]
    cut = words.index(_SERVER) if _SERVER in words else len(words)
    return CodexCommand((path, *words[:cut]), words[cut + 1 :], "command")


def _named(value: str, source: str, environ: Mapping[str, str], base_dir: Path) -> str:
    if os.sep not in value:
        found = shutil.which(value, path=environ.get("PATH", ""))
        if found is None:
            raise _fatal(f"{source} names {value!r}, which is not on PATH")
        return str(Path(found).absolute())
    # Symbolic links stay: a launcher finds its interpreter beside the link, not beside the target.
    path = (base_dir / Path(value).expanduser()).absolute()
    if not path.is_file():
        raise _fatal(f"{source} names {path}, which is not a file")
    if not os.access(path, os.X_OK):
        raise CodexError(
            f"{source} names {path}, which is not executable", Verdict.FATAL, hint=f"run `chmod +x {path}`"
        )
    return str(path)


def _installed(environ: Mapping[str, str]) -> CodexCommand:
    tried = ["proposer.codex_bin and proposer.command: not set", f"{BIN_VARIABLE}: not set"]
    try:
        path = importlib.import_module("codex_cli_bin").bundled_codex_path()
    except (ImportError, FileNotFoundError) as error:
        tried.append(f"package openai-codex-cli-bin: {error}")
    else:
        return CodexCommand((str(path),), (), "openai-codex-cli-bin")
    found = shutil.which("codex", path=environ.get("PATH", ""))
    if found is None:
        tried.append("codex on PATH: not there")
        raise _fatal("no codex executable was found; tried " + "; ".join(tried))
    return CodexCommand((str(Path(found).absolute()),), (), "PATH")


def _fatal(message: str) -> CodexError:
    return CodexError(message, Verdict.FATAL, hint=INSTALL)
