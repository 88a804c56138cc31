"""Every exception of the framework, and the exit code that the command line ends with.

::

    GepaError                      gepa_error                      1
    ├── ConfigError                gepa_config_error               3
    ├── PluginError                gepa_plugin_error               4
    │   ├── PluginNotFoundError    gepa_plugin_not_found           4
    │   │   └── ScenarioNotFoundError gepa_scenario_not_found      4
    │   ├── PluginAmbiguousError   gepa_plugin_ambiguous           4
    │   ├── PluginBrokenError      gepa_plugin_broken              4
    │   ├── PluginIncompatibleError gepa_plugin_incompatible       4
    │   └── PluginLockError        gepa_plugin_lock                4
    ├── ContainerContractError     gepa_container_contract_error   5
    ├── TransportError             gepa_transport_error            5
    │   └── ContainerGoneError     gepa_container_gone             5
    ├── ProposerError              gepa_proposer_error             1
    ├── CacheMissError             gepa_cache_miss                 1
    ├── CacheFullError             gepa_cache_full                 1
    ├── CacheCorruptError          gepa_cache_corrupt              1
    ├── BudgetExceededError        gepa_budget_exceeded            3
    ├── DiskBudgetError            gepa_disk_budget_exceeded       5
    ├── CancelledError             gepa_cancelled                  1
    ├── InterruptedRunError        gepa_interrupted                130
    ├── RunFailedError             gepa_run_failed                 1
    ├── WorkspaceError             gepa_workspace_error            5
    │   ├── WorkspaceLockedError   gepa_workspace_locked           5
    │   ├── RunStateError          gepa_run_state                  5
    │   └── EventFeedError         gepa_event_feed_error           5
    ├── ReplayDivergenceError      gepa_replay_divergence          70
    ├── InvariantError             gepa_invariant_error            70
    ├── StateTransitionError       gepa_state_transition_error     70
    ├── EventCompareError          gepa_event_compare_failed       1
    ├── CandidateNotFoundError     gepa_candidate_not_found        2
    ├── SchemaStaleError           gepa_schema_stale               1
    └── PreflightError             gepa_preflight_failed           5
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import attrs


class ExitCode(enum.IntEnum):
    """What the process ends with; documented in ``docs/reference/exit-codes.md``."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    PLUGIN = 4
    ENVIRONMENT = 5
    BUG = 70
    INTERRUPTED = 130


@attrs.frozen
class Problem:
    """One thing that is wrong in a configuration, and where.

    Attributes:
        path: Dotted key path, ``""`` for the whole document.
        message: What is wrong.
        hint: What to do about it; empty when the message says it all.
        file: The file as the user named it, if there is one.
        line: 1-based line, 0 when unknown.
        column: 1-based column, 0 when unknown.
    """

    path: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Give the problem as ``file:line:col: path: message; hint``."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = self.message + (f"; {self.hint}" if self.hint else "")
        return ": ".join(part for part in (place, self.path, text) if part)


class GepaError(RuntimeError):
    """Base of every error that the framework raises on purpose.

    Args:
        message: What happened, to whom, with the numbers.
        hint: What to do about it.
    """

    error_code: ClassVar[str] = "gepa_error"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    #: Where the run's files are, when it got as far as having some.
    run_dir: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Give the message and, behind it, the cure."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class ConfigError(GepaError):
    """The configuration cannot be used; carries every problem found, not only the first."""

    error_code = "gepa_config_error"
    exit_code = ExitCode.CONFIG

    def __init__(self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems

    def __str__(self) -> str:
        """Give one line for each problem, or the message where there is none."""
        return "\n".join(str(problem) for problem in self.problems) or super().__str__()


class PluginError(GepaError):
    """A selected plugin cannot be used."""

    error_code = "gepa_plugin_error"
    exit_code = ExitCode.PLUGIN


class PluginNotFoundError(PluginError):
    """No installed distribution offers the selected plugin."""

    error_code = "gepa_plugin_not_found"


class ScenarioNotFoundError(PluginNotFoundError):
    """No installed distribution offers the scenario; the message names the nearest."""

    error_code = "gepa_scenario_not_found"


class PluginAmbiguousError(PluginError):
    """Two distributions offer the selected plugin under one name."""

    error_code = "gepa_plugin_ambiguous"


class PluginBrokenError(PluginError):
    """A selected plugin does not import, validate, build or behave."""

    error_code = "gepa_plugin_broken"


class PluginIncompatibleError(PluginError):
    """A selected plugin asks for another API or framework version, or is blocked."""

    error_code = "gepa_plugin_incompatible"


class PluginLockError(PluginError):
    """The installed plugins are not those that the run was started with."""

    error_code = "gepa_plugin_lock"


class ContainerContractError(GepaError):
    """The container does not speak the contract, or broke it in an answer."""

    error_code = "gepa_container_contract_error"
    exit_code = ExitCode.ENVIRONMENT


class TransportError(GepaError):
    """The container cannot be reached, started or stopped."""

    error_code = "gepa_transport_error"
    exit_code = ExitCode.ENVIRONMENT


class ContainerGoneError(TransportError):
    """The container died, or nobody answers any more; the run stops there and can be resumed."""

    error_code = "gepa_container_gone"


class ProposerError(GepaError):
    """A proposer could not propose.

    Args:
        message: What happened; free of secrets.
        hint: What to do about it.
        retryable: Whether asking again may help.
        usage: What was consumed all the same, as a :class:`gepa_framework.types.Usage`; unknown where it is
            not given, which ends a run that has a limit on money or tokens.
    """

    error_code = "gepa_proposer_error"

    def __init__(
        self, message: str, *, hint: str = "", retryable: bool = False, usage: object = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retryable = retryable
        self.usage = usage


class CacheMissError(GepaError):
    """A read-only cache does not hold the answer; names boundary, key and what comes nearest to it."""

    error_code = "gepa_cache_miss"


class CacheFullError(GepaError):
    """The cache has reached its size limit, and nothing in it may be dropped."""

    error_code = "gepa_cache_full"


class CacheCorruptError(GepaError):
    """A cache entry does not match its digest."""

    error_code = "gepa_cache_corrupt"


class BudgetExceededError(GepaError):
    """A budget cannot hold what the run needs at the very least; raised before anything is spent."""

    error_code = "gepa_budget_exceeded"
    exit_code = ExitCode.CONFIG


class DiskBudgetError(GepaError):
    """There is no room left on the disk, or the configured share of it is used up."""

    error_code = "gepa_disk_budget_exceeded"
    exit_code = ExitCode.ENVIRONMENT


class CancelledError(GepaError):
    """The run was cancelled for good."""

    error_code = "gepa_cancelled"


class InterruptedRunError(GepaError):
    """The run was interrupted; its journal is whole and it can be resumed."""

    error_code = "gepa_interrupted"
    exit_code = ExitCode.INTERRUPTED


class RunFailedError(GepaError):
    """The run could not make progress; the message gives the causes."""

    error_code = "gepa_run_failed"


class WorkspaceError(GepaError):
    """The workspace cannot be read or written."""

    error_code = "gepa_workspace_error"
    exit_code = ExitCode.ENVIRONMENT


class WorkspaceLockedError(WorkspaceError):
    """Another live process holds the workspace; the message names it."""

    error_code = "gepa_workspace_locked"


class RunStateError(WorkspaceError):
    """The run is not in the state that this needs; the message says which it is in."""

    error_code = "gepa_run_state"


class EventFeedError(WorkspaceError):
    """A file is no whole feed of events; the message names file and line."""

    error_code = "gepa_event_feed_error"


class ReplayDivergenceError(GepaError):
    """Replaying the journal gave other events than those recorded."""

    error_code = "gepa_replay_divergence"
    exit_code = ExitCode.BUG


class InvariantError(GepaError):
    """Something that is always true was found false: a bug of ours."""

    error_code = "gepa_invariant_error"
    exit_code = ExitCode.BUG


class StateTransitionError(GepaError):
    """The machine was fed something that its state does not allow: a bug of the driver."""

    error_code = "gepa_state_transition_error"
    exit_code = ExitCode.BUG


class EventCompareError(GepaError):
    """Two event feeds differ; the message names the first semantic difference.

    Args:
        message: Where they differ, and what either has there.
        hint: What to do about it.
        difference: The same as JSON: ``seq``, ``type``, ``path``, ``left`` and ``right``.
    """

    error_code = "gepa_event_compare_failed"

    def __init__(
        self, message: str, *, hint: str = "", difference: Mapping[str, object] = MappingProxyType({})
    ) -> None:
        super().__init__(message, hint=hint)
        self.difference = difference


class CandidateNotFoundError(GepaError):
    """A run has no candidate of that name, or more than one; the message names the nearest."""

    error_code = "gepa_candidate_not_found"
    exit_code = ExitCode.USAGE


class SchemaStaleError(GepaError):
    """A file is not the JSON Schema that the installed plugins give; the message says how to make it anew."""

    error_code = "gepa_schema_stale"


class PreflightError(GepaError):
    """What a scenario needs is not there, or its one evaluation came to nothing; raised before a run."""

    error_code = "gepa_preflight_failed"
    exit_code = ExitCode.ENVIRONMENT
