"""The private CODEX_HOME of a run: made before the app-server starts, removed when it is closed."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gepa_codex.binary import CodexCommand
from gepa_codex.config import CodexProposerConfig
from gepa_codex.settings import KEY_VARIABLE

_PREFIX: Final = "codex-home-"
_SYSTEM_PATH: Final = ("/usr/local/bin", "/usr/bin", "/bin")


def make_home(run_dir: Path) -> Path:
    """Make a directory that only its owner may enter, and remove those of runs that died.

    Raises:
        OSError: The run's directory cannot be written to.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    for stale in run_dir.glob(f"{_PREFIX}*"):
        if not _is_alive(stale.name):
            shutil.rmtree(stale, ignore_errors=True)
    home = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=run_dir)).resolve()
    workspace(home).mkdir(mode=0o700)
    return home


def remove_home(home: Path) -> None:
    """Remove the directory and everything that codex left in it."""
    shutil.rmtree(home, ignore_errors=True)


def workspace(home: Path) -> Path:
    """The empty directory that conversations take place in."""
    return home / "workspace"


def _is_alive(name: str) -> bool:
    match = re.match(rf"{_PREFIX}(\d+)-", name)
    return match is not None and Path(f"/proc/{match[1]}").exists()


def environment(
    config: CodexProposerConfig, command: CodexCommand, home: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """Give the whole environment of the app-server: the key, and what it cannot do without."""
    given = {name: environ[name] for name in config.env_passthrough if name in environ}
    key = environ.get(config.key_variable or "")
    return {
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        **given,
        "PATH": ":".join((*command.search_path, *_SYSTEM_PATH)),
        "HOME": str(home),
        "CODEX_HOME": str(home),
        "RUST_LOG": "error",
        "NO_COLOR": "1",
        **({KEY_VARIABLE: key} if key else {}),
    }
