from __future__ import annotations

import json

import pytest

from gepa_framework.builtin.cache_file import CacheFile, Entry


@pytest.fixture
def kept(shell):
    file = CacheFile(shell.path / "cache.sqlite", 64)
    file.put_all([Entry("shop:container.rollout", str(number), bytes(2048)) for number in range(3)])
    file.put_all([Entry("sh\x1bop:proposer.p", "0", bytes(1024))])
    file.close()


def test_what_is_in_a_cache_is_told(shell, kept) -> None:
    done = shell.run("cache", "stat", "cache.sqlite")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][1:] == ["proposer.p", "1", "answer", "1.0", "KiB"]
    assert lines[1] == ["shop", "container.rollout", "3", "answers", "6.0", "KiB"]
    assert lines[2][:3] == ["4", "answers", "in"]
    assert "\x1b" not in done.stdout


def test_json_is_one_object(shell, kept) -> None:
    told = json.loads(shell.run("cache", "stat", "cache.sqlite", "--json").stdout)
    assert told["count"] == 4
    assert told["answers"][1] == {
        "namespace": "shop",
        "boundary": "container.rollout",
        "count": 3,
        "bytes": 6144,
    }
    told = json.loads(shell.run("cache", "prune", "cache.sqlite", "--namespace", "shop", "--json").stdout)
    assert (told["schema"], told["dropped"], told["count"]) == (1, 3, 1)


def test_answers_are_dropped_by_age(shell, kept) -> None:
    done = shell.run("cache", "prune", "cache.sqlite", "--max-mib", "0")
    assert done.stdout.startswith("4 answers dropped\n\n0 answers in ")


def test_dropping_nothing_in_particular_is_a_mistake_of_usage(shell, kept) -> None:
    done = shell.run("cache", "prune", "cache.sqlite")
    assert done.exit_code == 2
    assert "give --max-mib or --namespace" in done.stderr


def test_a_file_that_is_not_there_is_an_error_with_a_cure(shell) -> None:
    done = shell.run("cache", "stat", "none.sqlite")
    assert done.exit_code == 5
    assert "there is no cache " in done.stderr
