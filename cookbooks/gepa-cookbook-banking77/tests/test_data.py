from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from gepa_cookbook_banking77.data import Dataset, Row, fair_order, load_dataset
from gepa_cookbook_banking77.errors import DataError

GOOD = "text,category\nlost my card,lost\nforgot the code,pin\n"


def write(directory: Path, train: str | bytes = GOOD, test: str | bytes = GOOD) -> Path:
    for name, content in (("train.csv", train), ("test.csv", test)):
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return directory


def test_a_directory_of_csv_files_is_read(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path))
    assert dataset.labels == ("lost", "pin")
    assert set(dataset.splits["test"]) == {Row("lost my card", "lost"), Row("forgot the code", "pin")}
    assert dataset.describe() == f"banking77 ({tmp_path}): 2 train, 2 test queries, 2 intents"


def test_quoted_commas_and_line_breaks_are_kept(tmp_path: Path) -> None:
    text = 'category,text\nlost,"gone, I\nthink "\n'
    dataset = load_dataset(write(tmp_path, text, text))
    assert dataset.splits["train"] == (Row("gone, I\nthink ", "lost"),)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert load_dataset(write(tmp_path, "\ufeff" + GOOD)).labels == ("lost", "pin")


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ("", "column text and category missing; found an empty file"),
        ("query,category\na,b\n", "column text missing; found query, category"),
        ("text,category\n", "no rows below the header"),
        ("text,category\nlost my card,lost\n,pin\n", "train.csv:3: text is empty"),
        ("text,category\nlost my card\n", "train.csv:2: category is empty"),
        (b"text,category\n\xff,lost\n", "byte 14 is not UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, train: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=r"train\.csv") as caught:
        load_dataset(write(tmp_path, train))
    assert said in str(caught.value)


def test_a_missing_file_names_the_cure(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(GOOD)
    with pytest.raises(DataError, match=r"test\.csv is missing.*--data-dir or GEPA_BANKING77_DIR"):
        load_dataset(tmp_path)


def test_a_missing_directory_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere is not a directory.*GEPA_BANKING77_DIR") as caught:
        load_dataset(tmp_path / "nowhere")
    assert caught.value.error_code == "banking77_data_error"


def test_an_intent_that_only_the_test_split_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"intents that train\.csv has not: refund"):
        load_dataset(write(tmp_path, GOOD, GOOD + "money back,refund\n"))


def test_the_order_does_not_depend_on_the_file() -> None:
    rows = [Row(f"query {number}", f"intent {number % 7}") for number in range(200)]
    assert fair_order(rows) == fair_order(rows[::-1])
    assert Counter(fair_order(rows)) == Counter(rows)
    assert list(fair_order(rows)) != rows


def test_every_beginning_holds_the_intents_in_their_shares() -> None:
    rows = [Row(f"query {number}", "often" if number % 4 else "seldom") for number in range(400)]
    for end in (20, 40, 100, 200):
        share = sum(row.label == "seldom" for row in fair_order(rows)[:end]) / end
        assert share == pytest.approx(0.25, abs=0.051)


def test_the_sample_is_as_large_as_promised(sample: Dataset) -> None:
    assert sample.name == "banking77-sample"
    for split, each in (("train", 16), ("test", 8)):
        counts = Counter(row.label for row in sample.splits[split])
        assert len(counts) == 14
        assert set(counts.values()) == {each}
    queries = [row.query.lower() for rows in sample.splits.values() for row in rows]
    assert len(set(queries)) == len(queries)


def test_the_sample_is_not_copied_from_the_real_data(sample: Dataset, real_dir: Path) -> None:
    real = {row.query.strip().lower() for rows in load_dataset(real_dir).splits.values() for row in rows}
    assert not real & {row.query.lower() for rows in sample.splits.values() for row in rows}


def test_the_real_data_is_what_it_should_be(real_dir: Path) -> None:
    dataset = load_dataset(real_dir)
    assert (len(dataset.splits["train"]), len(dataset.splits["test"])) == (10_003, 3_080)
    assert len(dataset.labels) == 77
    assert len({row.label for row in dataset.splits["train"][:200]}) >= 70
