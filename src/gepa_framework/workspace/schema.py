"""The tables of a workspace; the views that readers use are in `gepa_framework.workspace.views`.

The journal (`inputs`, `attempts`, `events`, and the texts in `blobs` that they name by digest) is the only
truth. `checkpoints` holds counts of it, so that nobody who asks for them has to go through all of it, and
`artifact_refs` the digests of the files that were made from it, as each was written anew.
Everything else is a view: nothing is stored twice, nothing can lag behind, and no row is ever rewritten.

The writer counts on what the engine warrants (one outcome for each effect, attempts and events of inputs that
are there) and pays for no index and no look-up at each row; whoever checks a workspace asks for all of it.

What a new workspace is made of is compiled from here into ``schema.sql``, so that beginning one imports no
SQLAlchemy. After a change: ``python -m gepa_framework.workspace.schema``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from gepa_framework.workspace.database import SCHEMA_FILE
from gepa_framework.workspace.views import creations

#: The newest Alembic revision; a workspace of another one is migrated or refused.
REVISION = "0006"

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

inputs = Table(
    "inputs",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("effect_id", String),
    Column("request_digest", String),
    Column("elapsed_us", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("access", String),
)

attempts = Table(
    "attempts",
    metadata,
    Column("effect_id", String, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("position", Integer, ForeignKey("inputs.position"), nullable=False),
    Column("kind", String, nullable=False),
    Column("code", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("http_status", Integer),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("total_tokens", Integer),
    Column("cost_usd", String),
)

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("position", Integer, ForeignKey("inputs.position"), nullable=False),
    Column("type", String, nullable=False),
    Column("elapsed_us", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("body", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("elapsed_us", Integer, nullable=False),
    Column("tallies", Text, nullable=False),
)

artifact_refs = Table(
    "artifact_refs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("path", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("bytes", Integer, nullable=False),
)


def statements() -> Iterator[str]:
    """Give the statements that make the newest schema."""
    dialect = sqlite.dialect()
    yield "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    for table in metadata.sorted_tables:
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index).compile(dialect=dialect))
    yield from creations()


def script() -> str:
    """Give the content of ``schema.sql``."""
    lines = (line.replace("\t", "    ").rstrip() for each in statements() for line in f"{each};".splitlines())
    head = "-- Made by `python -m gepa_framework.workspace.schema`; schema.py says the same and comes first."
    return "\n".join([head, *lines]) + "\n"


if __name__ == "__main__":
    Path(SCHEMA_FILE).write_text(script(), encoding="utf-8")
