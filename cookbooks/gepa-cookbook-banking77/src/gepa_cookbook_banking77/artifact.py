"""``python -m gepa_cookbook_banking77.artifact validate|score FILE``: look at the best candidate of a run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gepa_cookbook_banking77.cards import parse_cards
from gepa_cookbook_banking77.data import DATA_ENV, Dataset, load_dataset
from gepa_cookbook_banking77.errors import DataError
from gepa_cookbook_banking77.policies import Question, ask_lexical
from gepa_cookbook_banking77.rollouts import COMPONENT

#: Test queries that a score is made of; as many as the larger configuration reports on.
_QUERIES: Final = 500


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; give the exit code."""
    options = _parser().parse_args(arguments)
    try:
        cards = read_cards(options.file)
        dataset = load_dataset(os.environ.get(DATA_ENV) or None)
        check_cards(cards, dataset)
        told = {"valid": True} if options.what == "validate" else {"accuracy": accuracy(cards, dataset)}
    except DataError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def read_cards(path: Path) -> str:
    """Give the cards of a ``best_candidate.json``.

    Raises:
        DataError: It is none.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        cards = told["components"][COMPONENT]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is no candidate with {COMPONENT}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(cards, str):
        raise DataError(f"{path}: {COMPONENT} is no text")
    return cards


def check_cards(cards: str, dataset: Dataset) -> None:
    """Hold cards against the intents that there are.

    Raises:
        DataError: Not one of them is of an intent.
    """
    if not set(parse_cards(cards)) & set(dataset.labels):
        raise DataError(f"not one card is of an intent of {dataset.name}")


def accuracy(cards: str, dataset: Dataset) -> float:
    """Give the share of the first test queries that the cards answer rightly."""
    return asyncio.run(_accuracy(cards, dataset))


async def _accuracy(cards: str, dataset: Dataset) -> float:
    rows = dataset.splits["test"][:_QUERIES]
    right = 0
    for row in rows:
        question = Question(row.query, cards, dataset.labels, row.label, {})
        right += (await ask_lexical(question)).answer == row.label
    return right / len(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gepa_cookbook_banking77.artifact", description="Look at a best_candidate.json."
    )
    parser.add_argument("what", choices=("validate", "score"))
    parser.add_argument("file", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
