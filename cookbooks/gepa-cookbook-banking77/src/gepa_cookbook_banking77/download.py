"""``python -m gepa_cookbook_banking77.download --to DIR``: fetch the real Banking77 by checksum."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Final

from gepa_cookbook_banking77.data import DATA_ENV
from gepa_cookbook_banking77.errors import DataError

BASE_URL: Final = "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets/master/banking_data"
#: SHA-256 by file.
CHECKSUMS: Final = {
    "train.csv": "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
    "test.csv": "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
}
_TIMEOUT_SECONDS: Final = 60.0
_MAX_BYTES: Final = 8 * 1024 * 1024


def download(directory: Path, base_url: str = BASE_URL) -> list[Path]:
    """Fetch every file that is not there yet; give those that were fetched.

    A file appears under its name only when it is whole and its checksum is right.

    Raises:
        DataError: A file cannot be fetched or written, or is not the one that is meant.
    """
    if not base_url.startswith(("http://", "https://")):
        raise DataError(f"{base_url!r} is no http or https address", hint="give another --base-url")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        wanted = [name for name in CHECKSUMS if not _is_there(directory / name)]
        for name in wanted:
            _put(directory / name, _checked(name, f"{base_url.rstrip('/')}/{name}"))
    except OSError as error:
        raise DataError(f"{directory} cannot be written: {error.strerror or error}") from error
    return [directory / name for name in wanted]


def _is_there(file: Path) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == CHECKSUMS[file.name]


def _checked(name: str, url: str) -> bytes:
    content = _fetch(url)
    found = hashlib.sha256(content).hexdigest()
    if found != CHECKSUMS[name]:
        raise DataError(
            f"{url} is not the file that is meant: its SHA-256 is {found}, expected {CHECKSUMS[name]}",
            hint="nothing was kept; try again, or get the file elsewhere and give its directory",
        )
    return content


def _fetch(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the scheme is checked
            content: bytes = answer.read(_MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise DataError(f"{url} cannot be fetched: status {error.code}") from None
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url} cannot be fetched: {reason}", hint="is there a network?") from error
    if len(content) > _MAX_BYTES:
        raise DataError(f"{url} is larger than {_MAX_BYTES} bytes")
    return content


def _put(file: Path, content: bytes) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch, say what was done, and give the exit code."""
    parser = argparse.ArgumentParser(description="Fetch the real Banking77 (PolyAI, CC BY 4.0).")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="directory to put the files in")
    parser.add_argument("--base-url", default=BASE_URL, help="where the files are (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        fetched = download(options.to, options.base_url)
    except DataError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    names = ", ".join(file.name for file in fetched) or "nothing: all files are there"
    sys.stdout.write(f"fetched {names}\nuse it: {DATA_ENV}={options.to}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
