"""The one place that calls hooks, and calls them one plugin at a time, so that every error has an owner."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Iterator

import attrs
import pluggy

from gepa_framework.errors import ConfigError, GepaError, PluginBrokenError
from gepa_framework.hookspecs import PROJECT, extras, factories
from gepa_framework.plugins.found import SCENARIO, Found
from gepa_framework.plugins.loader import LoadedPlugin
from gepa_framework.plugins.trace import traced
from gepa_framework.types import BuildContext, Kind

_UNFIT = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@attrs.frozen
class _Implementation:
    hook: str
    function: Callable[..., object]


class Hooks:
    """Registers plugins with pluggy and calls their factories."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        for module in (factories, extras):
            self._manager.add_hookspecs(module)
        self._specs = frozenset(name for name in vars(self._manager.hook) if not name.startswith("_"))

    def register(self, found: Found, plugin: object) -> None:
        """Take a plugin in once its hooks have proved right; one that has not leaves no trace.

        Raises:
            PluginBrokenError: A hook is unknown, missing, or takes other arguments than its specification.
        """
        # Two distributions may offer one name, and pluggy drops the second of a name without a word.
        name = f"{found.kind}:{found.name}@{found.dist}"
        try:
            hash(plugin)  # pluggy keeps plugins in sets
            self._manager.register(plugin, name=name)
        except pluggy.PluginValidationError as error:
            raise self._refused(found, plugin, error) from error
        except Exception as error:
            raise PluginBrokenError(f"{found.owner} is not a valid plugin: {error}") from error
        try:
            self._check(found, plugin)
        except PluginBrokenError:
            self._manager.unregister(name=name)
            raise

    def make(self, loaded: LoadedPlugin, config: object, context: BuildContext) -> object:
        """Call the factory of one plugin alone.

        Raises:
            ConfigError: It finds that its table cannot be used.
            PluginBrokenError: It raised; the message has the secrets taken out that the run knows of.
        """
        others = self._manager.get_plugins() - {loaded.plugin}
        factory = self._manager.subset_hook_caller(loaded.found.kind.hook, others)
        arguments = {"config": config, "context": context}
        try:
            with traced(loaded.found, loaded.found.kind.hook, arguments) as take:
                made: object = factory(**arguments)
                take(made)
                return made
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:
            raise _failed_to_build(loaded.found, error, context) from error

    def ask(self, loaded: LoadedPlugin, hook: str, **arguments: object) -> object:
        """Call a hook of one plugin alone; ``None`` where it gave nothing.

        Raises:
            PluginBrokenError: It raised.
        """
        others = self._manager.get_plugins() - {loaded.plugin}
        try:
            with traced(loaded.found, hook, arguments) as take:
                given = self._manager.subset_hook_caller(hook, others)(**arguments)
                take(given[0] if given else None)
        except (Exception, SystemExit) as error:
            raise PluginBrokenError(
                f"{loaded.found.owner}: {hook} raised {type(error).__name__}: {error}"
            ) from error
        return given[0] if given else None

    def _check(self, found: Found, plugin: object) -> None:
        implemented = list(self._implementations(plugin))
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise self._unknown(found, implemented) from error
        for implementation in implemented:
            _check_signature(found, implementation)
        _check_scenarios(found, {each.hook for each in implemented})
        wanted = found.kind.hooks
        if not {each.hook for each in implemented} & {*wanted}:
            forms = (
                f"{hook}({', '.join(inspect.signature(_specification(hook)).parameters)})" for hook in wanted
            )
            raise PluginBrokenError(
                f"{found.owner} ({found.target}) implements no {' and no '.join(wanted)}",
                hint=f"define {' or '.join(forms)} there and mark it with @hookimpl",
            )

    def _implementations(self, plugin: object) -> Iterator[_Implementation]:
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    yield _Implementation(caller.name, implementation.function)

    def _refused(
        self, found: Found, plugin: object, error: pluggy.PluginValidationError
    ) -> PluginBrokenError:
        """Word what pluggy refused: arguments that the specification of the hook does not have."""
        for hook in sorted(self._specs):
            if self._manager.parse_hookimpl_opts(plugin, hook) is None:
                continue
            known = inspect.signature(_specification(hook)).parameters
            taken = inspect.signature(getattr(plugin, hook)).parameters
            if odd := [name for name in taken if name not in known]:
                called = f"its arguments are called {' and '.join(known)}; those not needed may be left out"
                return PluginBrokenError(
                    f"{found.owner}: {hook} takes the unknown argument '{odd[0]}'",
                    hint=called if known else "it takes no arguments",
                )
        return PluginBrokenError(f"{found.owner} is not a valid plugin: {error}")

    def _unknown(self, found: Found, implemented: list[_Implementation]) -> PluginBrokenError:
        unknown = sorted({each.hook for each in implemented} - self._specs)
        near = difflib.get_close_matches(unknown[0], self._specs, n=1)
        return PluginBrokenError(
            f"{found.owner} implements the unknown hook {unknown[0]}",
            hint=f"did you mean {near[0]}?" if near else f"known hooks: {', '.join(sorted(self._specs))}",
        )


def _check_scenarios(found: Found, implemented: Collection[str]) -> None:
    """Refuse scenarios that nobody would ever ask for, and a name that promises some in vain."""
    offers = "gepa_scenarios" in implemented
    if found.kind is Kind.EXTRA and offers != bool(found.scenario):
        what, cure = (
            ("has scenarios, and its name does not say so", f"call it '{SCENARIO}{found.name}'")
            if offers
            else ("implements no gepa_scenarios", "define gepa_scenarios() there and mark it with @hookimpl")
        )
        raise PluginBrokenError(f"{found.owner} ({found.target}) {what}", hint=cure)


def _form(hook: str) -> str:
    return f"{hook}({', '.join(inspect.signature(_specification(hook)).parameters)})"


def _specification(hook: str) -> Callable[..., object]:
    spec: Callable[..., object] = getattr(extras if hasattr(extras, hook) else factories, hook)
    return spec


def _failed_to_build(found: Found, error: BaseException, context: BuildContext) -> PluginBrokenError:
    told, cure = (error.message, error.hint) if isinstance(error, GepaError) else (str(error), "")
    what = context.redact(f"{type(error).__name__}: {told}")
    hint = context.redact(cure) or f"-v shows where; tell its makers, those of {found.dist}"
    return PluginBrokenError(f"{found.owner} failed while it was built: {what}", hint=hint)


def _check_signature(found: Found, implementation: _Implementation) -> None:
    where = f"{found.owner}: {implementation.hook}"
    if inspect.iscoroutinefunction(implementation.function):
        raise PluginBrokenError(
            f"{where} is asynchronous", hint="factories build at once and do no IO: use def"
        )
    for parameter in inspect.signature(implementation.function).parameters.values():
        if parameter.default is not parameter.empty:
            raise PluginBrokenError(
                f"{where} gives its argument '{parameter.name}' a default",
                hint="take the default away: every argument is always passed",
            )
        if parameter.kind in _UNFIT:
            raise PluginBrokenError(
                f"{where} has the argument '{parameter}', which no hook can fill",
                hint="use plain arguments only: config, context",
            )
