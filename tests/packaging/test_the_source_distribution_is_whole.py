from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from scikit_build_core.build import build_sdist; print(build_sdist(sys.argv[1]))"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    place = tmp_path_factory.mktemp("sdist")
    subprocess.run(
        [sys.executable, "-c", BUILD, str(place)], cwd=ROOT, check=True, capture_output=True, timeout=50
    )
    (archive,) = place.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        return {name.partition("/")[2] for name in file.getnames()}


def files_below(folder, pattern="*"):
    found = (path for path in (ROOT / folder).rglob(pattern) if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_every_module_of_the_framework_is_packed(packed):
    assert files_below("src", "*.py") <= packed


def test_the_templates_of_new_plugins_are_packed(packed):
    templates = files_below("src/gepa_framework/scaffold/templates", "*.txt")
    assert templates
    assert templates <= packed


def test_what_the_native_module_is_compiled_from_is_packed(packed):
    assert files_below("cpp") | {"CMakeLists.txt", "LICENSE", "README.md"} <= packed


@pytest.mark.parametrize("folder", ["plugins", "cookbooks", "tests", "docs", "benchmarks"])
def test_what_is_no_part_of_this_distribution_is_left_out(packed, folder):
    assert not {name for name in packed if name.startswith(f"{folder}/")}
