"""What is released, built once for all workers, and environments in which nothing but that is installed."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import distribution
from pathlib import Path

import attrs
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
_BUILD_SECONDS = 500


@attrs.frozen
class Member:
    """A distribution.

    Attributes:
        path: Its directory, relative to the repository.
        project: Its ``[project]``.
        package: What is imported.
    """

    path: Path
    project: dict
    package: str

    @property
    def name(self):
        return self.project["name"]

    def __str__(self):
        return self.name


def _member(file):
    path = file.parent
    (package,) = (each.parent.name for each in path.glob("src/*/__init__.py"))
    return Member(path.relative_to(ROOT), tomllib.loads(file.read_text(encoding="utf-8"))["project"], package)


MEMBERS = [
    _member(file)
    for pattern in ("pyproject.toml", "plugins/*/pyproject.toml", "cookbooks/*/pyproject.toml")
    for file in sorted(ROOT.glob(pattern))
]


def pytest_generate_tests(metafunc):
    """Give a test that asks for a `member` every distribution."""
    if "member" in metafunc.fixturenames:
        metafunc.parametrize("member", MEMBERS, ids=str)


@pytest.fixture(scope="session")
def root():
    """Give the repository."""
    return ROOT


@pytest.fixture(scope="session")
def members():
    """Give every distribution."""
    return MEMBERS


@pytest.fixture(scope="session")
def framework():
    """Give the distribution of the framework."""
    return MEMBERS[0]


def _tracked():
    """Give what git knows, as it is in the working tree; without git, what ``.gitignore`` does not name."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    if done.returncode == 0 and done.stdout:
        return [name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    ignored = [line.strip().rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    found = []
    for folder, folders, files in os.walk(ROOT):
        inside = Path(folder).relative_to(ROOT)
        for names in (folders, files):
            names[:] = [
                name
                for name in names
                if name != ".git"
                and not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)
                and str(inside / name) not in ignored
            ]
        found += [str(inside / name) for name in files]
    return found


def _copied(place):
    for name in _tracked():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def _built(place):
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    places = ("--tree", place / "tree", "--out", place / "out")
    done = subprocess.run(
        [sys.executable, ROOT / ".ci/dist.py", "--no-isolation", *places],
        cwd=place,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    return "" if done.returncode == 0 else f"exit code {done.returncode}\n{done.stdout}"


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """Give a directory with ``tree``, a copy of what git knows, and ``out``, what was built of it.

    To compile takes long: the first worker that asks does it, the others wait for it.
    """
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "released"
    with FileLock(f"{place}.lock", timeout=_BUILD_SECONDS):
        result = place / "result"
        if not result.exists():
            _copied(place / "tree")
            result.write_text(_built(place))
        failure = result.read_text()
    assert not failure, failure
    return place


@pytest.fixture(scope="session")
def tracked(released):
    """Give what git knows below a directory, relative to that directory."""

    def below(folder="."):
        start = released / "tree" / folder
        return {path.relative_to(start).as_posix() for path in start.rglob("*") if path.is_file()}

    return below


@pytest.fixture(scope="session")
def archive(released):
    """Give the wheel or the source distribution of a member."""

    def find(member, ending):
        (path,) = (released / "out").glob(f"{member.name.replace('-', '_')}-*{ending}")
        return path

    return find


def _dependencies(place):
    """Lay out links to all that is installed here, our own distributions left out."""
    place.mkdir()
    ours = {file.parts[0] for member in MEMBERS for file in distribution(member.name).files or ()}
    for site in {Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))}:
        for entry in site.iterdir():
            if entry.name not in ours:
                (place / entry.name).symlink_to(entry)


@attrs.frozen
class Installed:
    """An environment into which the wheels were installed as a user would.

    Attributes:
        home: Where it is; ``venv`` is in it.
    """

    home: Path

    @property
    def scripts(self):
        return self.home / "venv/bin"

    def run(self, *command, timeout=100):
        """Run a command, nothing else on the path; give what it wrote once it ended well."""
        done = subprocess.run(
            [self.scripts / command[0], *command[1:]],
            cwd=self.home,
            env={"PATH": str(self.scripts), "HOME": str(self.home), "CI": "true", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="session")
def install(released):
    """Give a function that makes an environment; what ours depend on is there, ours come from the wheels."""

    def new(home):
        venv.EnvBuilder(with_pip=False, symlinks=True).create(home / "venv")
        _dependencies(home / "dependencies")
        site = Path(sysconfig.get_path("purelib", vars={"base": str(home / "venv")}))
        # A line with a path, and no `addsitedir`: the hooks of editable installs are not obeyed.
        (site / "dependencies.pth").write_text(f"{home / 'dependencies'}\n")
        made = Installed(home)
        offline = ("--no-index", "--find-links", str(released / "out"), "--only-binary", ":all:")
        quiet = ("--quiet", "--disable-pip-version-check", "--no-compile")
        made.run("python", "-m", "pip", "install", *offline, *quiet, *(member.name for member in MEMBERS))
        return made

    return new


@pytest.fixture(scope="session")
def installed(install, tmp_path_factory):
    """Give an environment that tests only look at."""
    return install(tmp_path_factory.mktemp("installed"))
