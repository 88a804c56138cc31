from __future__ import annotations

import os

import pytest

from gepa_framework.errors import ConfigError


def said(action, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        action(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[run\n", "gepa.toml:1:5: expected ']'"),
        ("[run]\nseed = \n", "gepa.toml:2:8: expected a value"),
        ("[run]\nseed = [1\n", "gepa.toml:2:8: '[' is not closed"),
        ("[run]\nseed = 1\nseed = 2\n", "gepa.toml:3:1: 'run.seed' is given twice, first in line 2"),
        ("[run]\nx = 2020-13-45\n", "gepa.toml:2:15: Invalid date"),
        ('[run]\nx = "a\\q"\n', "gepa.toml:2:8: Invalid character 'q' in string"),
        ("x = 1\n" + ".".join("a" * 33) + " = 1", "gepa.toml:2:65: nested more than 32 deep"),
    ],
)
def test_a_text_that_is_not_toml_is_refused_with_its_place(parse, text, line):
    assert said(parse, text, whole=True) == line


def test_an_integer_of_thousands_of_digits_is_refused(parse):
    text = f"[dataset]\ntrain_seeds = [1]\nheldout_seeds = [2]\n[run]\nseed = {'9' * 5000}\n"
    assert said(parse, text, whole=True).startswith("gepa.toml:5:")


def test_a_text_larger_than_a_megabyte_is_refused_unread(parse):
    assert "gepa.toml: is larger than 1000000 bytes" in said(parse, "#" * 1_000_001, whole=True)


def test_a_file_larger_than_a_megabyte_is_refused_unread(load, tmp_path):
    path = tmp_path / "big.toml"
    path.write_bytes(b"#" * 1_000_001)
    assert "is larger than 1000000 bytes; a configuration names data, it does not hold it" in said(load, path)


def test_a_missing_file_is_named(load, tmp_path):
    path = tmp_path / "none.toml"
    assert said(load, path) == f"{path}: cannot be read: No such file or directory; check the path"


def test_a_directory_is_no_file(load, tmp_path):
    assert said(load, tmp_path) == f"{tmp_path}: is not a regular file; name a TOML file"


def test_a_pipe_is_not_waited_for(load, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in said(load, tmp_path / "pipe")


def test_bytes_that_are_not_utf8_are_refused_with_their_place(load, tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes('[run]\nrun_id = "é'.encode() + b'\xe9"\n')
    assert said(load, path) == f"{path}:2:12: is not UTF-8: byte 0xe9; save the file as UTF-8"


def test_a_byte_order_mark_is_passed_over(load, tmp_path, minimal):
    path = tmp_path / "gepa.toml"
    path.write_bytes(b"\xef\xbb\xbf" + minimal.encode())
    loaded = load(path)
    assert loaded.text == minimal
    assert loaded.positions["container"] == (1, 2)


def test_relative_paths_are_relative_to_the_file(load, tmp_path, minimal):
    path = tmp_path / "gepa.toml"
    path.write_text(minimal)
    loaded = load(path)
    assert (loaded.base_dir, loaded.file) == (tmp_path, str(path))
    assert loaded.config.run.output_dir == tmp_path / "runs"


def test_the_text_of_a_seed_candidate_is_kept_byte_for_byte(load, tmp_path, minimal):
    path = tmp_path / "gepa.toml"
    path.write_bytes(minimal.encode() + b'[seed_candidate]\nprompt = """  one\r\ntwo \t\n\n"""\n')
    assert load(path).config.seed_candidate == {"prompt": "  one\r\ntwo \t\n\n"}


def test_an_empty_file_says_what_is_missing(lines_of):
    assert lines_of("", whole=True) == [
        (
            "gepa.toml: a [dataset] or [taskset] table is needed; "
            "write [dataset] with train_seeds and heldout_seeds"
        ),
        'gepa.toml: proposer.backend: is required; name a plugin: backend = "…"',
    ]
