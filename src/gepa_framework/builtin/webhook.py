"""Listener ``webhook``: posts events, signed, to an address, and never holds up the run for it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

from gepa_framework.builtin.webhook_config import WebhookConfig
from gepa_framework.builtin.webhook_courier import Courier, Fate, Outcome, full_jitter
from gepa_framework.builtin.webhook_names import Lookups
from gepa_framework.builtin.webhook_outbox import Mark, Message, Outbox, Standing
from gepa_framework.builtin.webhook_secrets import WebhookSecrets
from gepa_framework.errors import WorkspaceError
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import BuildContext, Event, Kind, PluginInfo, event_fields

#: How long what is under way may take to be let go of.
_GRACE_SECONDS = 2.0


class WebhookListener:
    """Hears events on the run's thread, and posts them one after the other on its own.

    Args:
        config: Where to.
        secrets: What is signed with.
        context: The run.
        pause: Gives the seconds to wait after an attempt.
    """

    def __init__(
        self,
        config: WebhookConfig,
        secrets: WebhookSecrets,
        context: BuildContext,
        pause: Callable[[int], float] = full_jitter,
    ) -> None:
        self._config = config
        self._run_id = context.run_id
        self._logger = context.logger
        self._courier = Courier(config, secrets, pause)
        self._mark = Mark(context.run_dir, config.digest)
        self._outbox = Outbox(config.max_queue)
        self._post: _Post | None = None
        self._closed = False
        self._dropped = 0

    def on_event(self, event: Event) -> None:
        """Have one event posted, if it is wanted; waits for nobody.

        Raises:
            WorkspaceError: The listener is closed.
        """
        if self._closed:
            raise WorkspaceError(f"the webhook of {self._config.origin} is closed")
        if self._post is None:
            self._begin(self._mark.read(), event.seq)
        if self._config.wants(event.type) and self._outbox.put(event):
            self._dropped += 1
            if self._dropped == 1:
                self._logger.warning(
                    "%s takes events more slowly than they come: %d wait, and the oldest are dropped",
                    self._config.origin,
                    self._config.max_queue,
                )

    def close(self) -> None:
        """Deliver what is left within ``close_seconds``, and say what could not be delivered."""
        if self._closed:
            return
        self._closed = True
        if self._post is None and (standing := self._mark.read()) is not None:
            # A run that was finished before: its end may be owed still.
            self._begin(standing, None)
        if self._post is not None:
            self._outbox.finish()
            self._post.end(self._config.close_seconds)
            self._tell(self._post)

    def _begin(self, standing: Standing | None, first: int | None) -> None:
        """Start posting, with what is on record and not settled, up to the first event that is heard."""
        # At once: whoever goes on with this run must know that there was one to deliver to.
        standing = standing or Standing((first or 1) - 1)
        progress = _Progress(self._mark, standing, self._logger)
        self._post = _Post(self._courier, progress, self._logger, self._config.origin)
        self._post.begin(self._messages(standing, first))

    def _messages(self, standing: Standing, first: int | None) -> Iterator[Message]:
        try:
            for fields in self._mark.missed(standing.settled, first):
                if self._config.wants(fields["type"]):
                    yield Message.of(self._run_id, standing.nonce, fields)
        except OSError as error:
            self._logger.warning("what was not delivered before cannot be read, and is not now: %s", error)
        for event in self._outbox.events():
            yield Message.of(self._run_id, standing.nonce, event_fields(event))

    def _tell(self, post: _Post) -> None:
        parts = {
            "given up": post.counts[Fate.GIVEN_UP],
            "dropped": self._dropped,
            "left": post.counts[Fate.LEFT],
        }
        if lost := sum(parts.values()):
            self._logger.warning(
                "%d of %d events were not delivered to %s (%s)%s",
                lost,
                lost + post.counts[Fate.DELIVERED],
                self._config.origin,
                ", ".join(f"{count} {what}" for what, count in parts.items() if count),
                "; gepa resume delivers what is left" if parts["left"] else "",
            )


class _Progress:
    """Keeps the mark; one that cannot be written is told of once, and harms nothing else."""

    def __init__(self, mark: Mark, standing: Standing, logger: logging.Logger) -> None:
        self._mark = mark
        self._nonce = standing.nonce
        self._logger = logger
        self._lost = False
        self._write(mark.begin, standing)

    def settle(self, seq: int) -> None:
        """Remember that all is settled up to an event."""
        self._write(self._mark.move, Standing(seq, self._nonce))

    def _write(self, how: Callable[[Standing], None], standing: Standing) -> None:
        if self._lost:
            return
        try:
            how(standing)
        except OSError as error:
            self._lost = True
            words = (
                "%s cannot be written, so that a run that goes on may post events again, or not at all: %s"
            )
            self._logger.warning(words, self._mark.path, error)


class _Post:
    """The thread that posts."""

    def __init__(self, courier: Courier, progress: _Progress, logger: logging.Logger, origin: str) -> None:
        self._courier = courier
        self._progress = progress
        self._logger = logger
        self._origin = origin
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(Lookups())
        self._thread: threading.Thread | None = None
        self.counts = dict.fromkeys(Fate, 0)

    def begin(self, messages: Iterator[Message]) -> None:
        """Post messages until there are no more."""
        # A daemon, lest whatever it hangs in keep the whole process; see also `Lookups`.
        self._thread = threading.Thread(target=self._work, args=(messages,), name="gepa-webhook", daemon=True)
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Wait for the last one, but not for longer than that and a moment."""
        if self._thread is None:
            return
        self._on_loop(self._courier.hurry)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._on_loop(self._courier.stop)
            self._thread.join(_GRACE_SECONDS)

    def _on_loop(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # it is closed: the thread has come to its end
            self._loop.call_soon_threadsafe(what)

    def _work(self, messages: Iterator[Message]) -> None:
        try:
            with closing(self._loop):
                self._post_all(messages)
        except Exception:
            # Nobody waits for this thread: what ends it would be seen by none.
            self._logger.exception("nothing more is posted to %s", self._origin)

    def _post_all(self, messages: Iterator[Message]) -> None:
        try:
            for message in messages:
                self._settle(message, self._loop.run_until_complete(self._courier.deliver(message)))
        finally:
            self._loop.run_until_complete(self._courier.close())

    def _settle(self, message: Message, outcome: Outcome) -> None:
        self.counts[outcome.fate] += 1
        if outcome.fate is Fate.GIVEN_UP and self.counts[Fate.GIVEN_UP] == 1:
            self._logger.warning(
                "%s (event %d) is not delivered to %s: %s",
                message.type,
                message.seq,
                self._origin,
                outcome.why,
            )
        if outcome.fate is not Fate.LEFT:
            self._progress.settle(message.seq)


plugin_info = PluginInfo(
    kind=Kind.LISTENER,
    name="webhook",
    api=">=1.0,<2",
    config=WebhookConfig,
    summary="Posts events, signed and retried, to an address.",
)


@hookimpl
def gepa_make_listener(config: WebhookConfig, context: BuildContext) -> WebhookListener:
    """Build the listener.

    Raises:
        ConfigError: An environment variable that is named is not set, or does not hold what it should.
    """
    return WebhookListener(config, WebhookSecrets.read(config, context.environ), context)
