"""What calls are expected to take and what tokens cost, where a limit needs to know."""

from __future__ import annotations

from gepa_framework.config.reader import Reader
from gepa_framework.config.sections import GepaSection, PriceTable

_CALLS = (("rollout", "one attempt at a rollout"), ("proposer", "one proposal"))
#: Limit to the estimate of either call that it needs, with what is said of it.
_NEEDED = (
    ("max_cost_usd", "cost_usd", "costs"),
    ("max_prompt_tokens", "prompt_tokens", "reads"),
    ("max_completion_tokens", "completion_tokens", "writes"),
    ("max_total_tokens", "total_tokens", "reads and writes"),
)


def prices_of(reader: Reader) -> tuple[PriceTable, ...]:
    """Read ``[[prices]]``."""
    found: dict[tuple[str, str], str] = {}
    tables: list[PriceTable] = []
    for path, table in reader.tables("prices", PriceTable):
        first = found.setdefault((table.provider, table.model), ".".join(path))
        if first != ".".join(path):
            shown = f'"{table.model}"' + (f' of "{table.provider}"' if table.provider else "")
            reader.report.add(path, f"{shown} has a price already: {first}", "keep one of them")
        tables.append(table)
    return tuple(tables)


def check_estimates(reader: Reader, gepa: GepaSection) -> None:
    """Ask for the estimates without which a limit could be passed before anybody knows."""
    for limit, what, does in _NEEDED:
        if not getattr(gepa, limit):
            continue
        for call, shown in _CALLS:
            key = f"{call}_estimated_{what}"
            found = total_tokens(gepa, call) if what == "total_tokens" else getattr(gepa, key)
            if found is None:
                hint = f"write what {shown} {does} at the most, 0 for nothing: {key} = {_example(what)}"
                reader.report.add(("gepa", key), f"is required with gepa.{limit}", hint)


def warn_of_too_few_proposals(reader: Reader, gepa: GepaSection) -> None:
    """Warn of a limit on proposals under which no iteration can begin."""
    children = gepa.parents_per_generation * gepa.minibatches_per_parent * gepa.proposals_per_generation
    most = children * (1 + gepa.proposal_repair_turns)
    if gepa.max_proposals is not None and gepa.max_proposals < most:
        said = f"no iteration can begin: one may ask for {most} proposals, repair turns included"
        hint = "raise it, ask for fewer in one iteration, or write proposal_repair_turns = 0"
        reader.report.warn(("gepa", "max_proposals"), said, hint)


def total_tokens(gepa: GepaSection, call: str) -> int | None:
    """Give the estimate of all tokens: that which is written, or the sum of those by sort."""
    total: int | None = getattr(gepa, f"{call}_estimated_total_tokens")
    read: int | None = getattr(gepa, f"{call}_estimated_prompt_tokens")
    written: int | None = getattr(gepa, f"{call}_estimated_completion_tokens")
    return read + written if total is None and read is not None and written is not None else total


def _example(what: str) -> str:
    return "0.01" if what == "cost_usd" else "1000"
