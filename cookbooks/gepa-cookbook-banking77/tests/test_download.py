from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from gepa_cookbook_banking77 import download as module
from gepa_cookbook_banking77.download import BASE_URL, CHECKSUMS, download, main
from gepa_cookbook_banking77.errors import DataError

FILES = {"train.csv": b"text,category\nlost,lost\n", "test.csv": b"text,category\ngone,lost\n"}


@pytest.fixture
def offered(fake_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve small files under the names of the real ones, with their checksums."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(module, "CHECKSUMS", sums)
    for name, content in FILES.items():
        fake_server.say(f"/data/{name}", content)
    return fake_server


def base(server: Any) -> str:
    return f"{server.url}/data/"


def kept(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_both_files_are_fetched(offered: Any, tmp_path: Path) -> None:
    fetched = download(tmp_path / "new", base(offered))
    assert [file.name for file in fetched] == ["train.csv", "test.csv"]
    assert kept(tmp_path / "new") == FILES


def test_what_is_there_is_not_fetched_again(offered: Any, tmp_path: Path) -> None:
    download(tmp_path, base(offered))
    offered.asked.clear()
    (tmp_path / "test.csv").write_bytes(b"damaged")
    assert [file.name for file in download(tmp_path, base(offered))] == ["test.csv"]
    assert [path for path, _, _ in offered.asked] == ["/data/test.csv"]


def test_a_wrong_checksum_leaves_nothing_behind(offered: Any, tmp_path: Path) -> None:
    offered.say("/data/train.csv", b"something else")
    with pytest.raises(
        DataError, match=r"train\.csv is not the file that is meant: its SHA-256 is"
    ) as caught:
        download(tmp_path, base(offered))
    assert "nothing was kept" in str(caught.value)
    assert kept(tmp_path) == {}


def test_a_refusal_names_address_and_status(offered: Any, tmp_path: Path) -> None:
    offered.say("/data/test.csv", b"", status=503)
    with pytest.raises(DataError, match=r"/data/test\.csv cannot be fetched: status 503"):
        download(tmp_path, base(offered))
    assert kept(tmp_path) == {"train.csv": FILES["train.csv"]}


def test_a_dead_server_is_named(offered: Any, tmp_path: Path) -> None:
    address = base(offered)
    offered.vanish()
    with pytest.raises(DataError, match="cannot be fetched"):
        download(tmp_path, address)


def test_a_file_that_is_too_large_is_refused(
    offered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_BYTES", 10)
    with pytest.raises(DataError, match="larger than 10 bytes"):
        download(tmp_path, base(offered))
    assert kept(tmp_path) == {}


def test_a_file_that_cannot_be_finished_leaves_no_half_behind(
    offered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        download(tmp_path, base(offered))
    assert kept(tmp_path) == {}


@pytest.mark.parametrize("address", ["file:///etc", "ftp://host/x", "host/x"])
def test_other_schemes_are_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(DataError, match="no http or https address"):
        download(tmp_path, address)


def test_a_directory_that_cannot_be_written_is_named(offered: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file cannot be written"):
        download(tmp_path / "file", base(offered))


def test_the_command_says_what_it_did(
    offered: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--to", str(tmp_path), "--base-url", base(offered)]
    assert main(arguments) == 0
    assert f"fetched train.csv, test.csv\nuse it: GEPA_BANKING77_DIR={tmp_path}" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "nothing: all files are there" in capsys.readouterr().out
    offered.say("/data/train.csv", b"else")
    (tmp_path / "train.csv").unlink()
    assert main(arguments) == 5
    assert "error: " in capsys.readouterr().err


def test_the_checksums_are_those_of_the_real_files(real_dir: Path) -> None:
    for name, expected in CHECKSUMS.items():
        assert hashlib.sha256((real_dir / name).read_bytes()).hexdigest() == expected
    assert BASE_URL.startswith("https://")
