"""One factory hook for each kind of plugin. Hooks build objects; the run itself uses the Protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gepa_framework.hookspecs import hookspec

if TYPE_CHECKING:
    from gepa_framework.types import (
        BuildContext,
        Cache,
        Executor,
        Listener,
        Proposer,
        Stopper,
        Store,
        Transport,
    )


@hookspec(firstresult=True)
def gepa_make_proposer(config: object, context: BuildContext) -> Proposer | None:
    """Build the proposer that ``[proposer] backend`` names.

    Called: once when a run starts or is resumed, in the process of the run; must do no IO.

    :param config: The rest of the ``[proposer]`` table, structured into the plugin's own config class.
    :param context: Where the run is and what it allows.
    :return: The proposer.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """


@hookspec(firstresult=True)
def gepa_make_transport(config: object, context: BuildContext) -> Transport | None:
    """Build the transport that ``[container] transport`` names.

    Called: once when a run starts or is resumed, in the process of the run; must do no IO.

    :param config: The rest of the ``[container]`` table, structured into the plugin's own config class.
    :param context: Where the run is and what it allows.
    :return: The transport.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """


@hookspec(firstresult=True)
def gepa_make_cache(config: object, context: BuildContext) -> Cache | None:
    """Build the cache that ``[cache] backend`` names.

    Called: once when a run starts or is resumed, in the process of the run; must do no IO.

    :param config: The rest of the ``[cache]`` table, structured into the plugin's own config class.
    :param context: Where the run is and what it allows.
    :return: The cache.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """


@hookspec(firstresult=True)
def gepa_make_stopper(config: object, context: BuildContext) -> Stopper | None:
    """Build a stopper that an entry of ``[[stoppers]]`` names.

    Called: once for each entry when a run starts or is resumed; must do no IO.

    :param config: The rest of the entry, structured into the plugin's own config class.
    :param context: Where the run is and what it allows.
    :return: The stopper.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """


@hookspec(firstresult=True)
def gepa_make_executor(config: object, context: BuildContext) -> Executor | None:
    """Build the executor that ``[executor] use`` names.

    Called: once when a run starts or is resumed, in the process of the run; must do no IO.

    :param config: The rest of the ``[executor]`` table, structured into the plugin's own config class.
    :param context: Where the run is and what it allows.
    :return: The executor.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """


@hookspec(firstresult=True)
def gepa_make_listener(config: object, context: BuildContext) -> Listener | None:
    """Build a listener that an entry of ``[[listeners]]`` names.

    Called: once for each entry when a run starts or is resumed; must do no IO.

    :param config: The rest of the entry, structured into the plugin's own config class.
    :param context: Where the run is and what it allows.
    :return: The listener.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """


@hookspec(firstresult=True)
def gepa_make_store(config: object, context: BuildContext) -> Store | None:
    """Build the store that ``[store] use`` names, or that the directory of a run does.

    Called: when a run starts, and again each time that its directory is read or it is resumed; must do no IO.

    :param config: The rest of the ``[store]`` table, structured into the plugin's own config class.
    :param context: Where the run is and what it allows. Before the configuration of a run that is resumed is
        known, ``seed``, ``concurrency`` and ``settings`` are the defaults.
    :return: The store.

    Result: the selected plugin's alone.
    If it raises: the run does not start; exit code 4.
    Since: 1.0
    """
