"""Pieces of SQL that several views are made of.

Every column is cast, so that a view tells its types; filters on `type` and `kind` come first, since those
columns stand before the long ones and a row that is passed over is not read to its end.
"""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from typing import Final


def field(kind: str, name: str, path: str = "", *, of: str = "body") -> str:
    """Give a column that is a field of a JSON text.

    Args:
        kind: `TEXT`, `INTEGER` or `REAL`; a list or an object as `TEXT` is JSON.
        name: The column.
        path: Where in the text, without its ``$.``; as the column is called where it is empty.
        of: What holds the text.
    """
    return f"CAST(json_extract({of}, '$.{path or name}') AS {kind}) AS {name}"


def texts(*names: str) -> str:
    """Give fields of an event that are text, or lists and objects as JSON."""
    return ", ".join(field("TEXT", name) for name in names)


def wholes(*names: str) -> str:
    """Give fields of an event that are whole numbers."""
    return ", ".join(field("INTEGER", name) for name in names)


def reals(*names: str) -> str:
    """Give fields of an event that are numbers."""
    return ", ".join(field("REAL", name) for name in names)


def quoted(*values: str) -> str:
    """Give a list of SQL strings."""
    return ", ".join(f"'{value}'" for value in values)


def events(types: tuple[str, ...], *columns: str) -> str:
    """Give a query of one row for each event of some types: `seq`, `event` and the columns."""
    return f"SELECT seq, type AS event, {', '.join(columns)} FROM events WHERE type IN ({quoted(*types)})"


def whole(expression: str, name: str) -> str:
    """Give a column that is a whole number."""
    return f"CAST({expression} AS INTEGER) AS {name}"


def _split(purpose: str) -> str:
    return f"""(SELECT json_extract(body, '$.split') FROM events
        WHERE type = 'dataset.rows.loaded' AND json_extract(body, '$.purpose') = '{purpose}'
        ORDER BY seq LIMIT 1)"""


#: The split that a rollout's row is of, by its stage; both are looked up once for a query.
SPLIT: Final = f"CASE stage WHEN 'heldout' THEN {_split('heldout')} ELSE {_split('train')} END"

#: The effect id of a rollout, from the fields of its event.
ROLLOUT_ID: Final = (
    "'rollout/' || iteration || '/' || stage || '/' || candidate_id || '/' || split || '/' || row_id"
)


def rollout_events(columns: str, source: str) -> str:
    """Give a query of events of rollouts, with what they are about.

    Args:
        columns: Further columns.
        source: Where from; has the `body` of events of rollouts alone.
    """
    return f"""
        SELECT *, CAST({ROLLOUT_ID} AS TEXT) AS effect_id FROM (
            SELECT *, CAST({SPLIT} AS TEXT) AS split FROM (
                SELECT {columns}, {texts("candidate_id", "row_id", "stage")}, {wholes("iteration")}
                FROM {source}))"""


def addressed(columns: str, source: str) -> str:
    """Give a query of rollouts with what their effect ids say.

    An id is ``rollout/ITERATION/STAGE/CANDIDATE/SPLIT/ROW``. Splits and rows may have slashes in them.

    Args:
        columns: Columns of the source to give; `iteration`, `stage`, `candidate_id`, `split` and `row_id`
            follow.
        source: A query that gives `effect_id` among others, of rollouts alone.
    """
    row = f"substr(rest, instr(rest, '/') + length({SPLIT}) + 2)"
    return f"""
        SELECT {columns}, CAST(iteration AS INTEGER) AS iteration, CAST(stage AS TEXT) AS stage,
               CAST(substr(rest, 1, instr(rest, '/') - 1) AS TEXT) AS candidate_id,
               CAST({SPLIT} AS TEXT) AS split, CAST({row} AS TEXT) AS row_id
        FROM (SELECT *, substr(tail, 1, instr(tail, '/') - 1) AS stage,
                     substr(tail, instr(tail, '/') + 1) AS rest
              FROM (SELECT *, CAST(substr(effect_id, 9) AS INTEGER) AS iteration,
                           substr(effect_id, 10 + length(CAST(substr(effect_id, 9) AS INTEGER))) AS tail
                    FROM ({source})))"""


def abandoned(sort: str, columns: str) -> str:
    """Give a query of effects that were given up under way.

    Args:
        sort: `rollout` or `proposal`.
        columns: What to give; `each.value` is the effect id.
    """
    return f"""
        SELECT {columns} FROM inputs,
            json_each(payload, CASE kind WHEN 'cancel' THEN '$.begun' ELSE '$.effect_ids' END) AS each
        WHERE inputs.kind IN ('abandoned', 'cancel') AND each.value LIKE '{sort}/%'"""


#: Tokens of an input's payload.
TOKENS: Final = ", ".join(
    field("INTEGER", name, f"usage.{name}", of="payload")
    for name in ("prompt_tokens", "completion_tokens", "total_tokens")
)

#: Whether the run is over, as it is on record.
IS_OVER: Final = """(SELECT type IN ('gepa.run.finished', 'gepa.run.failed', 'gepa.run.cancelled')
    FROM events ORDER BY seq DESC LIMIT 1)"""

#: What the container calls itself.
CONTAINER: Final = """(SELECT json_extract(body, '$.name') FROM events
    WHERE type = 'container.contract.verified' ORDER BY seq LIMIT 1)"""

#: The name of the proposer.
BACKEND: Final = """(SELECT json_extract(plugin.value, '$.name')
    FROM meta, json_each(meta.value, '$.plugins') AS plugin
    WHERE meta.key = 'plugins_lock' AND json_extract(plugin.value, '$.kind') = 'proposer' LIMIT 1)"""

#: The proposer's boundary, as the cache calls it.
PROPOSER: Final = f"'proposer.' || {BACKEND}"
