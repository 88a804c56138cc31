"""``gepa plugins check`` looks at all of them at once, and none gets at it or at another."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from tests.plugins.hostile.hostile_cases import BROKEN, EXPECTED, MANNERS

from gepa_framework.errors import GepaError
from gepa_framework.plugins import Plugins
from gepa_framework.plugins import probe as plugin_probe


def children() -> set[str]:
    """Give the processes that are in a session that was begun here, by their command lines."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().decode("utf-8", "replace").replace("\0", " ")
        except OSError:
            continue
        if "probe_child" in line or "threading.Event().wait()" in line:
            found.add(f"{path.parent.name} {line}")
    return found


@pytest.mark.timeout(150)
def test_each_gets_its_verdict_and_nothing_is_left_running(yard):
    slugs = yard.offer_all()
    before, threads = children(), threading.active_count()
    named = [MANNERS.get(slug, {}).get("name", slug) for slug in slugs]
    done = yard.gepa("plugins", "check", *named, "good", "jsonl", "--timeout", "1.5", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (4, False)
    verdicts = {each["distribution"]: each for each in told["plugins"]}
    for slug in slugs:
        each = verdicts.pop(f"gf-{slug.replace('_', '-')}")
        code, said, cure = EXPECTED[slug]
        assert (each["error_code"], each["ok"]) == (code, not code), each
        assert said in each["message"]
        assert cure in each["hint"]
        assert not code or f"'{slug}' of {each['distribution']} 1.0" in each["message"]
    assert len(verdicts) == 3
    assert all(each["ok"] for each in verdicts.values()), verdicts
    assert not children() - before
    assert threading.active_count() <= threads


def test_the_verdict_is_for_people_too(yard):
    yard.offer("import_crashes")
    yard.offer("noisy")
    done = yard.gepa("plugins", "check", "import_crashes", "stopper:noisy", "-v")
    assert done.exit_code == 4
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["kind", "name", "distribution", "version", "state"]
    assert lines[1].split() == ["stopper", "import_crashes", "gf-import-crashes", "1.0", BROKEN]
    assert lines[2].split() == ["stopper", "noisy", "gf-noisy", "1.0", "ok"]
    assert lines[4].startswith("error: the stopper 'import_crashes' of gf-import-crashes 1.0 (gf_")
    assert lines[5].startswith("next: pip install --force-reinstall gf-import-crashes")
    assert any("Fatal Python error: Segmentation fault" in line for line in lines[6:])
    assert lines[-1] == "2 plugins looked at, 1 with a problem"


def test_a_look_that_is_given_up_ends_at_once_and_leaves_nothing(yard):
    yard.offer("import_hangs")
    before = children()
    (found,) = [each for each in Plugins.discover().founds() if each.name == "import_hangs"]
    examine = "gepa_framework.config.examining:examine"
    with pytest.raises(GepaError, match=r"'import_hangs' of gf-import-hangs 1\.0 was given up"):
        plugin_probe(found, examine, 600.0, lambda: bool(children() - before))
    assert not children() - before


def test_a_plugin_is_looked_at_with_the_path_of_this_process(yard):
    yard.offer("new_capability")
    assert "PYTHONPATH" not in os.environ or str(yard.site.path) not in os.environ["PYTHONPATH"]
    assert yard.gepa("plugins", "check", "gf-new-capability:new_capability").exit_code == 0
