"""Views of limits: which hold, and how far the run was from each of them as it went on."""
# ruff: noqa: S608 - every piece is a constant of this package

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gepa_framework.workspace.views.parts import quoted

_PAID: Final = ("rollout", "rollout_failure", "proposal", "proposal_failure")
_AMOUNTS: Final = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")


def _tallied(name: str, *keys: str) -> str:
    """Give the sum of what a checkpoint counts under keys that are like some patterns."""
    like = " OR ".join(f"key LIKE '{key}'" for key in keys)
    return f"(SELECT coalesce(sum(value), 0) FROM json_each(tallies, '$.{name}') WHERE {like})"


def _amount(name: str) -> str:
    """Give a tallied amount, and after it how often it was not known."""
    known, unknown = _tallied("usage", f"%.{name}"), _tallied("usage", f"%.unknown_{name}")
    return f"{known} AS {name}, {unknown} AS unknown_{name}"


_COUNTED = f"""
    SELECT position, seq, kind, elapsed_us, {_tallied("stages", "%_train.%", "%_minibatch.%")} AS train,
           {_tallied("stages", "heldout.%")} AS heldout,
           {_tallied("inputs", "proposal", "proposal_failure")} AS proposals,
           {", ".join(_amount(name) for name in _AMOUNTS)}
    FROM checkpoints"""

#: Calls after the newest checkpoint; what is not known counts as one that is not.
_CALLS = f"""
    SELECT kind, json_extract(payload, '$.usage.prompt_tokens') AS prompt_tokens,
           json_extract(payload, '$.usage.completion_tokens') AS completion_tokens,
           json_extract(payload, '$.usage.total_tokens') AS total_tokens,
           json_extract(payload, '$.usage.cost_usd') AS cost_usd
    FROM inputs WHERE position > (SELECT position FROM newest) AND kind IN ({quoted(*_PAID)})
    UNION ALL
    SELECT 'attempt', prompt_tokens, completion_tokens, total_tokens, CAST(cost_usd AS REAL)
    FROM attempts WHERE position > (SELECT position FROM newest)"""
_SINCE = """
    SELECT coalesce(sum(kind IN ('proposal', 'proposal_failure')), 0) AS proposals, """ + ", ".join(
    f"coalesce(sum({amount}), 0) AS {name}, coalesce(sum({column} IS NULL), 0) AS unknown_{name}"
    for name, column, amount in (
        *((name, name, name) for name in _AMOUNTS[:3]),
        ("cost", "cost_usd", "CAST(round(cost_usd * 1e9) AS INTEGER)"),
    )
)

_OVER = """
    SELECT coalesce(sum(json_extract(body, '$.stage') <> 'heldout'), 0) AS train,
           coalesce(sum(json_extract(body, '$.stage') = 'heldout'), 0) AS heldout
    FROM events WHERE seq > (SELECT seq FROM newest) AND type IN ('rollout.completed', 'rollout.failed')"""

#: Where the run stands now, unless that is where the newest checkpoint was.
_NOW = f"""
    SELECT latest.position, latest.seq, 'now', latest.elapsed_us, newest.train + over.train,
           newest.heldout + over.heldout, newest.proposals + since.proposals,
           {
    ", ".join(
        f"newest.{name} + since.{name}, newest.unknown_{name} + since.unknown_{name}" for name in _AMOUNTS
    )
}
    FROM newest, since, over, (SELECT * FROM events ORDER BY seq DESC LIMIT 1) AS latest
    WHERE latest.seq > newest.seq"""

_ABANDONED = """
    SELECT seq, json_extract(body, '$.rollouts') AS rollouts, json_extract(body, '$.proposals') AS proposals
    FROM events WHERE type = 'work.abandoned'"""

#: The first event of each iteration.
_BEGUN = """
    SELECT json_extract(body, '$.iteration') AS iteration, min(seq) AS seq FROM events
    WHERE type IN ('iteration.started', 'merge.proposed') GROUP BY 1"""


def _lost(name: str) -> str:
    return f"(SELECT coalesce(sum({name}), 0) FROM abandoned WHERE abandoned.seq <= mark.seq)"


def _known(name: str, amount: str) -> str:
    return f"CASE WHEN unknown_{name} = 0 AND {_lost('rollouts + proposals')} = 0 THEN {amount} END"


#: What counts towards each limit; what was given up under way is paid for, and nobody knows how much.
_USED: Final[Mapping[str, str]] = {
    "train_rollouts": f"train + {_lost('rollouts')}",
    "heldout_rollouts": "heldout",
    "total_rollouts": f"train + heldout + {_lost('rollouts')}",
    "proposals": f"mark.proposals + {_lost('proposals')}",
    "iterations": "(SELECT count(*) FROM begun WHERE begun.seq <= mark.seq)",
    "seconds": "elapsed_us / 1e6",
    "prompt_tokens": _known("prompt_tokens", "prompt_tokens"),
    "completion_tokens": _known("completion_tokens", "completion_tokens"),
    "total_tokens": _known("total_tokens", "total_tokens"),
    "cost_usd": _known("cost", "cost / 1e9"),
}
_CASES = " ".join(f"WHEN '{name}' THEN {used}" for name, used in _USED.items())

VIEWS: Final[Mapping[str, str]] = {
    "run_limits": """
        SELECT seq, events.type AS event, CAST(each.key AS TEXT) AS name, CAST(each.value AS REAL) AS value,
               CAST(seq = (SELECT max(seq) FROM events
                           WHERE type IN ('gepa.run.started', 'gepa.run.extended')) AS INTEGER) AS current
        FROM events, json_each(events.body, '$.limits') AS each
        WHERE events.type IN ('gepa.run.started', 'gepa.run.extended')""",
    "stopper_states": f"""
        WITH counted AS MATERIALIZED ({_COUNTED}),
             newest AS MATERIALIZED (
                 SELECT * FROM counted UNION ALL SELECT 0, 0, '', 0{", 0" * (3 + 2 * len(_AMOUNTS))}
                 ORDER BY 1 DESC LIMIT 1),
             since AS MATERIALIZED ({_SINCE} FROM ({_CALLS})), over AS MATERIALIZED ({_OVER}),
             abandoned AS MATERIALIZED ({_ABANDONED}), begun AS MATERIALIZED ({_BEGUN}),
             held AS MATERIALIZED (
                 SELECT seq, lead(seq) OVER (ORDER BY seq) AS until,
                        json_extract(body, '$.limits') AS limits
                 FROM events WHERE type IN ('gepa.run.started', 'gepa.run.extended')),
             stopped AS MATERIALIZED (
                 SELECT seq, json_extract(body, '$.kind') AS kind FROM events WHERE type = 'gepa.stop'),
             marks AS MATERIALIZED (SELECT * FROM counted UNION ALL {_NOW}),
             used AS MATERIALIZED (
                 SELECT mark.position, mark.seq, mark.kind, mark.elapsed_us, each.key AS name,
                        each.value AS value, CASE each.key {_CASES} END AS used, held.seq AS held_seq
                 FROM marks AS mark
                 JOIN held ON held.seq <= mark.seq AND (held.until IS NULL OR held.until > mark.seq),
                 json_each(held.limits) AS each)
        SELECT position, seq, CAST(kind AS TEXT) AS kind, CAST(elapsed_us / 1e6 AS REAL) AS elapsed_seconds,
               CAST(name AS TEXT) AS name, CAST(value AS REAL) AS value, CAST(used AS REAL) AS used,
               CAST(value - used AS REAL) AS remaining,
               CAST(CASE WHEN used IS NULL THEN 'unknown' WHEN used >= value THEN 'reached' ELSE 'open' END
                    AS TEXT) AS status,
               CAST((SELECT kind FROM stopped WHERE stopped.seq BETWEEN held_seq AND used.seq
                     ORDER BY stopped.seq DESC LIMIT 1) AS TEXT) AS stopped_by
        FROM used""",
}
