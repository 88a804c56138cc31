# ruff: noqa: INP001 - a script, no package
"""Build the distributions of this repository, and look over what came out.

Everything is built from a copy of what is committed: a file that git does not know cannot get in. Wheels are
built from the source distributions, as whoever has no wheel builds them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from email import message_from_bytes, message_from_string
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parent.parent
_BUILD_SECONDS = 900
_CHECK_SECONDS = 120
#: Equal files (empty `__init__`), and names that cannot be imported (migrations are found by their number).
_ALLOWED = "W002,W004"


def members(tree: Path) -> dict[str, Path]:
    """Give the directory of every distribution by its name, the framework's first."""
    found = [tree / "pyproject.toml"]
    for kind in ("plugins", "cookbooks"):
        found += sorted(tree.glob(f"{kind}/*/pyproject.toml"))
    return {tomllib.loads(path.read_text(encoding="utf-8"))["project"]["name"]: path.parent for path in found}


def export(ref: str, place: Path) -> None:
    """Write what is committed at `ref` into an empty directory."""
    archive = subprocess.run(  # noqa: S603
        ["git", "archive", "--format=tar", ref],  # noqa: S607
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        timeout=_CHECK_SECONDS,
    )
    with tempfile.TemporaryFile() as file:
        file.write(archive.stdout)
        file.seek(0)
        with tarfile.open(fileobj=file) as packed:
            packed.extractall(place, filter="data")


def commit_time(ref: str) -> str:
    """Give when `ref` was committed, in seconds: archives are dated by it, and so the same each time."""
    command = ["git", "log", "-1", "--format=%ct", ref]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=60)  # noqa: S603
    return done.stdout.strip()


def build(places: Iterable[Path], out: Path, options: Sequence[str], epoch: str) -> None:
    """Build a source distribution of each place, and of that a wheel."""
    for place in places:
        command = [sys.executable, "-m", "build", "--outdir", str(out), *options, str(place)]
        environ = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
        subprocess.run(command, check=True, env=environ, timeout=_BUILD_SECONDS)  # noqa: S603


def check(places: Iterable[Path], out: Path) -> None:
    """Let the tools say what is wrong with the descriptions, the archives and their metadata."""
    wheels, archives = sorted(map(str, out.glob("*.whl"))), sorted(map(str, out.glob("*.tar.gz")))
    projects = [str(place / "pyproject.toml") for place in places]
    for command in (
        ["validate_pyproject", "--disable", "trove_classifiers", "--", *projects],
        ["twine", "check", "--strict", *archives, *wheels],
        ["check_wheel_contents", "--no-config", "--ignore", _ALLOWED, *wheels],
    ):
        subprocess.run([sys.executable, "-m", *command], check=True, timeout=_CHECK_SECONDS)  # noqa: S603


def metadata(path: Path) -> Message:
    """Read the metadata of a wheel or source distribution."""
    if path.suffix == ".whl":
        with ZipFile(path) as wheel:
            (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return message_from_bytes(wheel.read(name))
    with tarfile.open(path) as archive:
        member = archive.extractfile(f"{path.name.removesuffix('.tar.gz')}/PKG-INFO")
        if member is None:
            raise SystemExit(f"{path.name} holds no PKG-INFO")
        return message_from_string(member.read().decode())


def of_tag(tag: str, known: Iterable[str]) -> tuple[str, str]:
    """Give the distribution and the version that a tag such as ``gepa-codex-v0.2.0`` names."""
    name, _, version = tag.rpartition("-v")
    if name not in known:
        raise SystemExit(f"the tag {tag!r} names none of {', '.join(known)}; a tag is NAME-vVERSION")
    return name, version


def check_release(out: Path, version: str) -> None:
    """Refuse what would be regretted: a version on an index can never be replaced.

    Raises:
        SystemExit: The archives are of another version than the tag, or do not say where they come from.
    """
    for path in sorted([*out.glob("*.whl"), *out.glob("*.tar.gz")]):
        found = metadata(path)
        if found["Version"] != version:
            raise SystemExit(f"{path.name} is of version {found['Version']}, the tag of {version}")
        if not found.get_all("Project-URL"):
            raise SystemExit(f"{path.name}: [project.urls] is empty; a release says where its source is")


def main(argv: Sequence[str] | None = None) -> None:
    """Build and check."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="distributions; all of them if none is named")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="an empty directory (default: dist)")
    parser.add_argument("--ref", default="HEAD", help="what is built (default: HEAD)")
    parser.add_argument("--tag", help="build what this tag names, and check it as a release")
    parser.add_argument("--tree", type=Path, help="build this directory as it is instead of a commit")
    parser.add_argument("--no-isolation", action="store_true", help="build with what is installed")
    given = parser.parse_args(argv)
    if given.out.exists() and any(given.out.iterdir()):
        raise SystemExit(f"{given.out} is not empty; what is in it would be taken for built now")
    with tempfile.TemporaryDirectory() as scratch:
        tree = given.tree or Path(scratch)
        ref = given.tag or given.ref
        if not given.tree:
            export(ref, tree)
        known = members(tree)
        names, version = list(given.names or known), ""
        if given.tag:
            name, version = of_tag(given.tag, known)
            names = [name]
        if unknown := [name for name in names if name not in known]:
            raise SystemExit(f"no such distribution: {', '.join(unknown)}; there are {', '.join(known)}")
        places = [known[name] for name in names]
        epoch = os.environ.get("SOURCE_DATE_EPOCH") or ("315532800" if given.tree else commit_time(ref))
        build(places, given.out, ["--no-isolation"] if given.no_isolation else [], epoch)
        check(places, given.out)
    if given.tag:
        check_release(given.out, version)
    print(*sorted(path.name for path in given.out.iterdir()), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
