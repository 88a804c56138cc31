"""The runs that are killed, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

_CONFIG = """\
[run]
run_id = "killed"
seed = {seed}
[container]
transport = "parts"
log = "asked.log"
{container}
[dataset]
train_seeds = "0-5"
heldout_seeds = "100-102"
[proposer]
backend = "stepwise"
{proposer}
[cache]
{cache}
[gepa]
minibatch_size = 2
max_generations = {generations}
max_total_rollouts = 300
rollout_failure_rate_tolerance = 1.0
retry_backoff_seconds = 0.00001
component_selector = "round_robin"
{gepa}
{more}
"""
_ROUGH = "failing_share = 0.1\nflaky_share = 0.2"
_PIPELINED = """
[gepa.pipeline]
mode = "async_pipelined"
staleness_policy = "guarded"
delta_max = 1
max_in_flight_candidates = 3
workers = {propose = 2, rollout = 4, evaluate = 2}
"""
#: Texts that are long enough to be kept by themselves.
_LONG = f'[seed_candidate]\neven = "{0:<400}"\nodd = "{0:<500}"\n'
_MERGING = "[merge]\nevery = 1\nmax = 2\nrows = 3\n"


@attrs.frozen
class Scenario:
    """A run as it is configured.

    Attributes:
        container: Keys of ``[container]``.
        proposer: Keys of ``[proposer]``.
        cache: Keys of ``[cache]``.
        gepa: Keys of ``[gepa]``.
        more: Tables behind it.
        seed: Of the run.
        generations: Iterations at most.
        extended: Iterations that it is extended to before anything is killed; 0 for never.
    """

    container: str = ""
    proposer: str = ""
    cache: str = 'mode = "off"'
    gepa: str = ""
    more: str = ""
    seed: int = 3
    generations: int = 4
    extended: int = 0

    @property
    def ordered(self) -> bool:
        """Whether equal runs have equal feeds, whatever order things complete in."""
        return "async_pipelined" not in self.more

    @property
    def cached(self) -> bool:
        """Whether it has a cache."""
        return "readwrite" in self.cache

    @property
    def window(self) -> int:
        """How many rollouts may be under way, or in and not on record yet.

        Eight are under way. Where iterations overlap, as many may come in while one commit is written.
        """
        return 8 if self.ordered else 16

    def config(self) -> str:
        """Give the text of its ``gepa.toml``."""
        values = attrs.asdict(self)
        return _CONFIG.format(**values)


SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        "plain": Scenario(),
        "rough": Scenario(
            container=_ROUGH,
            proposer="failing_every = 5",
            gepa="proposals_per_generation = 2",
            more=_MERGING,
            seed=5,
        ),
        "cached": Scenario(container="failing_share = 0.1", cache='mode = "readwrite"', seed=7),
        "extended": Scenario(container=_ROUGH, extended=5, generations=3),
        "long": Scenario(more=_LONG),
        # Half an hour is more than any of it takes, and less than its clock jumps.
        "timed": Scenario(container=_ROUGH, gepa="max_time_seconds = 1800", more=_MERGING),
        "pipelined": Scenario(more=_PIPELINED),
        "pipelined-rough": Scenario(
            container=_ROUGH,
            proposer="failing_every = 5",
            cache='mode = "readwrite"',
            gepa="proposals_per_generation = 2",
            more=_PIPELINED + _MERGING,
            seed=5,
        ),
    }
)
