"""Guards around plugins that the machine itself calls, so that their trouble bears their name."""

from __future__ import annotations

import attrs

from gepa_framework.errors import PluginBrokenError
from gepa_framework.types import RunView, Stopper, StopReason


@attrs.frozen
class GuardedStopper:
    """A stopper whose owner is known.

    Attributes:
        name: The plugin's name.
        stopper: What it built.
    """

    name: str
    stopper: Stopper

    def check(self, view: RunView) -> StopReason | None:
        """Ask the stopper.

        Raises:
            PluginBrokenError: It raised, or gave what is neither a reason nor ``None``.
        """
        try:
            reason = self.stopper.check(view)
        except Exception as error:
            text = f"the stopper {self.name!r} raised {type(error).__name__}: {error}"
            raise PluginBrokenError(text, hint="mend it and resume the run") from error
        if reason is not None and not isinstance(reason, StopReason):
            raise PluginBrokenError(
                f"the stopper {self.name!r} gave {type(reason).__name__}",
                hint="return a StopReason or None, and resume the run",
            )
        return reason
