"""What is to be said of each distribution that is bad."""

from __future__ import annotations

_KINDS = ("proposer", "transport", "cache", "executor", "listener", "store", "extra")
BROKEN, INCOMPATIBLE = "gepa_plugin_broken", "gepa_plugin_incompatible"
#: Name, error code, what is said, and the cure.
REFUSED = [
    ("import_error", BROKEN, "did not import: ImportError: libfoo.so.3", "pip install --force-reinstall"),
    ("import_exit", BROKEN, "did not import: SystemExit: no licence was found", "pip install"),
    ("import_missing", BROKEN, "No module named 'gf_not_there'", "into the dependencies of gf-import-miss"),
    ("no_metadata", BROKEN, "has no plugin_info", "plugin_info = PluginInfo(...)"),
    ("wrong_signature", BROKEN, "the unknown argument 'settings'", "called config and context"),
    ("unknown_hook", BROKEN, "unknown hook gepa_make_stoper", "did you mean gepa_make_stopper?"),
    ("no_hook", BROKEN, "implements no gepa_make_stopper", "mark it with @hookimpl"),
    ("async_hook", BROKEN, "gepa_make_stopper is asynchronous", "use def"),
    ("wrong_kind", BROKEN, "plugin_info.kind is <Kind.CACHE", "make them agree"),
    ("other_name", BROKEN, "calls itself 'another_name'", "make the two names agree"),
    ("old_api", INCOMPATIBLE, "for the plugin API >=0.1,<1, and this is", "pip install --upgrade gf-old-api"),
    ("unreadable_api", BROKEN, "unreadable plugin_info.api: '1.x'", 'write ">=1.0,<2"'),
    ("old_framework", INCOMPATIBLE, "wants gepa-framework >=7", "pip install --upgrade gf-old-framework"),
    ("odd_capabilities", BROKEN, "are no frozenset of texts: None", "write frozenset({Capability."),
    ("odd_summary", BROKEN, "a summary that is no text: 7", "one sentence"),
    ("config_no_attrs", BROKEN, "a config that is no attrs class", "use @attrs.frozen"),
    ("config_reserved", BROKEN, "the reserved field use", "another name"),
    ("config_annotation", BROKEN, "cannot be evaluated: name 'Patience' is not", "outside TYPE_CHECKING"),
    ("config_default", BROKEN, "its default of 'home': KeyError: 'HOME'", "a plain value"),
    ("raising_attribute", BROKEN, "raised LookupError: not today", "tell its makers"),
    ("build_raises", BROKEN, "failed while it was built: KeyError: 'patience'", "tell its makers"),
    ("build_exits", BROKEN, "failed while it was built: SystemExit: 3", "tell its makers"),
    ("build_none", BROKEN, "gepa_make_stopper returned None", "return the stopper"),
    ("build_other", BROKEN, "returned no Stopper but {'patience': 3}", "lacks the method check"),
    ("build_unshowable", BROKEN, "returned no Stopper but an object of the class Shy", "method check"),
    ("build_class", BROKEN, "returned the class Never", "return an instance"),
    ("build_async", BROKEN, "whose method check is asynchronous", "use def"),
]  # fmt: skip
#: What only looks bad, or is no matter for the door.
SOUND = ["new_capability", "noisy", "non_ascii", "leaves_threads"]
#: What only shows from outside: name, what is said, and the cure.
STOPPED = [
    ("import_hangs", "(gf_import_hangs) took longer than 1.5 s while it was imported", "--timeout"),
    ("build_hangs", "(gf_build_hangs) took longer than 1.5 s while it was built", "--timeout"),
    ("import_leaves", "ended the process with exit code 0 while it was imported", "force-reinstall gf-"),
    ("import_crashes", "crashed with SIGSEGV while it was imported", "force-reinstall gf-import-crashes"),
    ("build_crashes", "crashed with SIGSEGV while it was built", "force-reinstall gf-build-crashes"),
    ("import_asks", "did not import: EOFError: EOF when reading a line", "pip install"),
    ("build_writes", "gepa_make_stopper wrote run", "a factory does no IO"),
    ("build_closes", "closing what was never used raised AttributeError", "at any time"),
    ("extra_target", "(gf_extra_target.nowhere:main) did not import: ModuleNotFoundError", "pip install"),
]
#: Name to error code, what is said and the cure, for all of these.
EXPECTED = {
    **{slug: (code, said, cure) for slug, code, said, cure in REFUSED},
    **{slug: (BROKEN, said, cure) for slug, said, cure in STOPPED},
    **dict.fromkeys(SOUND, ("", "", "")),
}

AT_DOOR = [*EXPECTED]
#: How some of them are installed.
MANNERS: dict[str, dict[str, object]] = {
    "non_ascii": {"name": "größe"},
    "old_framework": {"requires": ("gepa-framework>=7",)},
    "raising_attribute": {"target": "gf_raising_attribute:plugin"},
}


def kind_of(slug: str) -> str:
    """Give the kind of a bad plugin: stoppers, but for those whose name begins with another one."""
    first = slug.partition("_")[0]
    return first if first in _KINDS else "stopper"


def owner_of(slug: str) -> str:
    """Give how errors speak of it."""
    return f"the {kind_of(slug)} '{slug}' of gf-{slug.replace('_', '-')} 1.0"
