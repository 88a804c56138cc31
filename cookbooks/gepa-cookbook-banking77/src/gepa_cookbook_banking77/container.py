"""``python -m gepa_cookbook_banking77.container --port N``: serve Banking77 over HTTP."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing

import uvicorn

from gepa_cookbook_banking77.chat import ChatPolicy
from gepa_cookbook_banking77.data import DATA_ENV, SAMPLE, load_dataset
from gepa_cookbook_banking77.errors import DataError
from gepa_cookbook_banking77.policies import ask_lexical
from gepa_cookbook_banking77.service import build_container


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; give the exit code."""
    options = _parser().parse_args(arguments)
    try:
        dataset = load_dataset(options.data_dir or os.environ.get(DATA_ENV) or None)
    except DataError as error:
        _say(f"error: {error}")
        return int(error.exit_code)
    _say(f"data: {dataset.describe()}")
    if dataset.name == SAMPLE:
        _say(f"this is the small sample; the real Banking77 is read from --data-dir or {DATA_ENV}")
    chat = ChatPolicy()
    container = build_container(dataset, {"lexical": ask_lexical, "openai": chat})
    config = uvicorn.Config(
        container.fastapi(),
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        ws="none",
    )
    asyncio.run(_serve(uvicorn.Server(config), chat))
    return 0


async def _serve(server: uvicorn.Server, chat: ChatPolicy) -> None:
    async with aclosing(chat):
        await server.serve()


def _say(text: str) -> None:
    sys.stderr.write(f"banking77: {text}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gepa-banking77", description="Serve Banking77 as a task container."
    )
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--data-dir", help=f"directory with train.csv and test.csv (default: ${DATA_ENV}, else the sample)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
