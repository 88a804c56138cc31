"""Writing the files that a command was asked for."""

from __future__ import annotations

from pathlib import Path

import click


def write_file(path: Path, text: str, *, force: bool = True) -> None:
    """Write a file.

    Raises:
        click.UsageError: It is there and `force` is not, or it cannot be written.
    """
    try:
        # Mode x refuses a file that is there, even one that appears at this moment.
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path} exists; --force replaces it, --path names another file") from None
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
