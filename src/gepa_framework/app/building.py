"""Building the plugins of a run: objects at last, and still nothing spent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar

import attrs

from gepa_framework.app.guards import GuardedStopper, GuardedStore
from gepa_framework.app.planning import desugared_stoppers
from gepa_framework.app.prepare import Prepared
from gepa_framework.config import PluginChoice, locate_problem, written_options
from gepa_framework.errors import ConfigError, Problem
from gepa_framework.net.redact import Redactor, secrets_of
from gepa_framework.runtime import Audience, OnError
from gepa_framework.types import (
    BuildContext,
    Cache,
    Executor,
    JSONObject,
    Kind,
    Proposer,
    Stopper,
    Store,
    Transport,
)
from gepa_framework.types.copies import own_copy

T = TypeVar("T")
_Factory: TypeAlias = Callable[[str, object, BuildContext], T]


@attrs.frozen
class Built:
    """The plugins of one run, built.

    ``owners`` says whose they are, in the words of errors: those of the first four, by their names here.
    """

    transport: Transport
    proposer: Proposer
    cache: Cache
    executor: Executor | None
    stoppers: tuple[Stopper, ...]
    audiences: tuple[Audience, ...]
    owners: Mapping[str, str]


def build(prepared: Prepared) -> Built:
    """Build the plugins that the machine and its runtime need.

    Raises:
        PluginError: One does not build.
        ConfigError: One finds that its table cannot be used.
    """
    config, plugins = prepared.config, prepared.plugins
    return Built(
        transport=_made(prepared, config.container, plugins.make_transport),
        proposer=_made(prepared, config.proposer, plugins.make_proposer),
        cache=_made(prepared, config.cache.backend, plugins.make_cache),
        executor=_made(prepared, config.executor, plugins.make_executor) if config.executor else None,
        stoppers=build_stoppers(prepared),
        audiences=tuple(
            Audience(
                choice.name,
                _made(prepared, choice, plugins.make_listener),
                OnError(choice.on_error),
                owner_of(prepared, choice),
            )
            for choice in config.listeners
        ),
        owners=_owners(prepared),
    )


def build_world(prepared: Prepared) -> tuple[Transport, Proposer]:
    """Build who speaks to the task and who proposes; raises what `build` raises."""
    config, plugins = prepared.config, prepared.plugins
    return (
        _made(prepared, config.container, plugins.make_transport),
        _made(prepared, config.proposer, plugins.make_proposer),
    )


def build_store(prepared: Prepared) -> Store:
    """Build the store that the configuration selects.

    Raises:
        PluginError: It does not build.
        ConfigError: It finds that its table cannot be used, or that cannot be written down.
    """
    store_options(prepared)
    choice = prepared.config.store
    store = _made(prepared, choice, prepared.plugins.make_store)
    return GuardedStore(owner_of(prepared, choice), store, context(prepared, choice).redact)


def store_options(prepared: Prepared) -> JSONObject:
    """Give the configuration of the store as it is written down in the run's directory.

    Raises:
        ConfigError: It holds a secret, or cannot be written down.
    """
    choice = prepared.config.store
    try:
        return written_options(choice.options, context(prepared, choice).redact)
    except ConfigError as error:
        raise _placed(prepared, choice, error) from error


def build_stoppers(prepared: Prepared) -> tuple[Stopper, ...]:
    """Build the stoppers alone, which is all that a replay needs; raises what `build` raises."""
    config, plugins = prepared.config, prepared.plugins
    return tuple(
        GuardedStopper(owner_of(prepared, choice), _made(prepared, choice, plugins.make_stopper))
        for choice in (*config.stoppers, *desugared_stoppers(config, plugins.config_class))
    )


def _owners(prepared: Prepared) -> Mapping[str, str]:
    config = prepared.config
    chosen = {
        "transport": config.container,
        "proposer": config.proposer,
        "cache": config.cache.backend,
        "executor": config.executor,
    }
    return {name: owner_of(prepared, choice) for name, choice in chosen.items() if choice is not None}


def owner_of(prepared: Prepared, choice: PluginChoice) -> str:
    """Say whose a plugin is, in the words of errors."""
    return prepared.plugins.load(choice.kind, choice.name).found.owner


def _made(prepared: Prepared, choice: PluginChoice, factory: _Factory[T]) -> T:
    try:
        return factory(choice.name, choice.options, context(prepared, choice))
    except ConfigError as error:
        raise _placed(prepared, choice, error) from error


def _placed(prepared: Prepared, choice: PluginChoice, error: ConfigError) -> ConfigError:
    """Give every problem of a plugin's table its place in the file."""
    told = error.problems or (Problem("", error.message, error.hint),)
    problems = tuple(
        locate_problem(
            prepared.loaded,
            ".".join(part for part in (choice.path, problem.path) if part),
            problem.message,
            problem.hint,
        )
        for problem in told
    )
    return ConfigError(error.message, hint=error.hint, problems=problems)


def context(prepared: Prepared, choice: PluginChoice) -> BuildContext:
    """Give what a plugin is told when it is built."""
    workers = prepared.config.gepa.pipeline.workers
    concurrency = workers.propose if choice.kind is Kind.PROPOSER else workers.rollout
    settings = prepared.loaded.resolved.get("gepa", {})
    return BuildContext(
        run_id=prepared.run_id,
        run_dir=prepared.run_dir,
        base_dir=prepared.loaded.base_dir,
        seed=prepared.plan.seed,
        concurrency=concurrency,
        # Each plugin has its own: what one does to it is no matter for another, nor for the record.
        settings=own_copy(settings) if isinstance(settings, Mapping) else {},
        environ=dict(prepared.environ),
        logger=logging.getLogger(f"gepa_framework.plugin.{choice.name}"),
        redact=Redactor(secrets_of(prepared.environ)),
        readonly=choice.kind is Kind.CACHE and prepared.config.cache.mode == "readonly",
    )
