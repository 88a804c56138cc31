"""Telling the listeners: each hears every event, and none can harm the run or another."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import attrs

from gepa_framework.errors import PluginBrokenError
from gepa_framework.runtime.foreign import FOREIGN
from gepa_framework.types import Effect, EffectListener, Event, Listener

T = TypeVar("T")
_LOGGER = logging.getLogger(__name__)


class OnError(enum.StrEnum):
    """What becomes of a listener that raises."""

    WARN = "warn"
    DISABLE = "disable"
    STOP = "stop"


@attrs.define
class Audience:
    """One listener, and what it has raised so far.

    Attributes:
        name: What it is called.
        listener: Told of the events.
        on_error: What becomes of it when it raises.
        owner: Whose it is, in the words of errors; by default no more than its name.
        errors: How often it has raised.
        disabled: Whether it is told of nothing more.
    """

    name: str
    listener: Listener
    on_error: OnError = OnError.WARN
    owner: str = attrs.field(
        default=attrs.Factory(lambda self: f"the listener {self.name!r}", takes_self=True)
    )
    errors: int = 0
    disabled: bool = False


class Hub:
    """All listeners of a run.

    Args:
        audiences: In the order in which they are told.

    Attributes:
        watchers: Those who want to hear of effects too, each with what it is told by.
    """

    def __init__(self, audiences: Sequence[Audience] = ()) -> None:
        self.audiences = tuple(audiences)
        self.watchers = tuple(
            (audience, audience.listener.on_effect)
            for audience in self.audiences
            if isinstance(audience.listener, EffectListener)
        )

    def publish(self, events: Iterable[Event]) -> None:
        """Tell every listener of every event.

        Raises:
            PluginBrokenError: A listener with ``on_error = "stop"`` raised.
        """
        for event in events:
            for audience in self.audiences:
                if not audience.disabled:
                    self._tell(audience, audience.listener.on_event, event)

    def tell(self, effects: Iterable[Effect]) -> None:
        """Tell those who want to hear of it of every effect; raises what `publish` raises."""
        for effect in effects:
            for audience, on_effect in self.watchers:
                if not audience.disabled:
                    self._tell(audience, on_effect, effect)

    def _tell(self, audience: Audience, take: Callable[[T], None], told: T) -> None:
        try:
            take(told)
        except FOREIGN as error:
            audience.errors += 1
            text = f"{audience.owner} raised {type(error).__name__}: {error}"
            if audience.on_error is OnError.STOP:
                raise PluginBrokenError(text, hint='mend it, or set on_error = "warn"') from error
            audience.disabled = audience.on_error is OnError.DISABLE
            if audience.errors == 1:
                what = "it is not told of further events" if audience.disabled else "the run goes on"
                _LOGGER.warning("%s; %s", text, what, exc_info=error)

    def close(self) -> None:
        """Close every listener, whatever the others do; Ctrl-C ends the wait for one of them."""
        for audience in self.audiences:
            try:
                audience.listener.close()
            except KeyboardInterrupt:
                # The run is over: what it came to is to be written all the same.
                _LOGGER.warning("%s was stopped while it closed", audience.owner)
            except FOREIGN as error:
                _LOGGER.warning("%s raised when closed: %s", audience.owner, error)
