from __future__ import annotations

import sys

import pytest

from gepa_framework.errors import ExitCode, GepaError, PluginBrokenError, WorkspaceError
from gepa_framework.plugins import Plugins
from gepa_framework.types import CommandSpec, Kind

OWNER = "the extra 'tool' of gf-alpha 1.0"
HOOK = """
from gepa_framework.types import CommandSpec
@hookimpl
def gepa_cli_commands():
    {}
"""


@pytest.fixture
def commands(site, source):
    """Give what an extra offers whose hook has a body."""

    def commands(body, more=""):
        site.offer(source(Kind.EXTRA, "tool", hook=HOOK.format(body) + more), kind=Kind.EXTRA, name="tool")
        return Plugins.discover().commands("tool")

    return commands


def one(run: str, name: str = "tool") -> str:
    return f"return [CommandSpec({name!r}, 'Does it.', {run})]"


def refused(call, *args) -> str:
    with pytest.raises(PluginBrokenError) as caught:
        call(*args)
    assert caught.value.exit_code is ExitCode.PLUGIN
    assert str(caught.value).startswith(OWNER)
    return str(caught.value)


def test_a_command_is_run_with_its_arguments_and_gives_its_exit_code(commands):
    given = commands(one("lambda args: len(args)"))
    assert given.run(given.specs[0], ["a", "--b", "--"]) == 3
    assert given.alone is given.specs[0]


def test_a_target_is_imported_when_its_command_is_run(commands, site):
    (site.path / "gf_beta.py").write_text("class Tool:\n    @staticmethod\n    def go(args): return 7")
    given = commands(one("'gf_beta:Tool.go'"))
    assert "gf_beta" not in sys.modules
    assert given.run(given.specs[0], []) == 7


def test_several_commands_are_found_by_their_names(commands):
    given = commands(
        "return (CommandSpec('show-all', 'Shows.', len), CommandSpec('tool', 'Does.', lambda args: None))"
    )
    assert given.alone is None
    assert given.named("Show_All") is given.specs[0]
    assert given.named("other") is None
    assert given.run(given.specs[1], ["x"]) == 0


def test_one_command_of_another_name_is_not_the_extra_itself(commands):
    assert commands(one("len", "show")).alone is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return None", "brings no command; perhaps it is for: gepa report RUN --with tool"),
        ("return 'run'", "gepa_cli_commands returned 'run'; return a sequence"),
        ("return CommandSpec('a', 'A.', len)", "gepa_cli_commands returned CommandSpec("),
        ("return []", "gepa_cli_commands returned no command; return CommandSpec(...)"),
        ("return [len]", "gepa_cli_commands returned <built-in function len> among the commands"),
        ("return [None]", "gepa_cli_commands returned None among the commands"),
        (
            "return [CommandSpec(name, 'A.', len) for name in ('a-b', 'c', 'a_b')]",
            "returned two commands of one name: a-b, a_b; names that differ by",
        ),
        ("raise ValueError('bad luck')", "gepa_cli_commands raised ValueError: bad luck"),
        ("raise SystemExit(3)", "gepa_cli_commands raised SystemExit: 3"),
        ("return [CommandSpec('Bad name', 'A.', len)]", "ValueError: a command's name is lower case words"),
        ("return [CommandSpec('--help', 'A.', len)]", "ValueError: a command's name is lower case words"),
        ("return [CommandSpec('a', 'A\\nB', len)]", "raised ValueError: a command's help is one line"),
        ("return [CommandSpec('a', '', len)]", "raised ValueError: a command's help is one line"),
        ("return [CommandSpec('a', 'A.', 'no target')]", "ValueError: a command is run by 'module:func"),
        ("return [CommandSpec('a', 'A.', 7)]", "TypeError: a command is run by 'module:function' or a"),
        (
            "async def go(args): ...\n    return [CommandSpec('a', 'A.', go)]",
            "raised TypeError: a command is run by 'module:function' or a plain function, not <function",
        ),
    ],
)  # fmt: skip
def test_commands_that_cannot_be_offered_are_refused(commands, body, said):
    assert said in refused(commands, body)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("lambda args: 'done'", "the command 'tool' ended with 'done'; return an exit code from 0 to 255"),
        ("lambda args: True", "the command 'tool' ended with True"),
        ("lambda args: 256", "the command 'tool' ended with 256"),
        ("lambda args: -1", "the command 'tool' ended with -1"),
        ("lambda args: 1 / 0", "the command 'tool' raised ZeroDivisionError: division by zero"),
        ("lambda: 0", "the command 'tool' raised TypeError: "),
        ("'gf_nowhere:go'", "(gf_nowhere:go) did not import: ModuleNotFoundError: No module"),
        ("'json:absent'", "(json:absent) did not import: AttributeError"),
        ("'json:__doc__'", "(json:__doc__) is no plain function but '"),
        ("'gf_alpha:later'", "(gf_alpha:later) is no plain function but <function later"),
        ("'gf_gamma:go'", "(gf_gamma:go) did not import: SystemExit: 2; pip install --force-reinst"),
    ],
)  # fmt: skip
def test_a_command_that_fails_bears_its_owners_name(commands, site, run, said):
    (site.path / "gf_gamma.py").write_text("raise SystemExit(2)")
    given = commands(one(run), "\nasync def later(args): ...\n")
    assert said in refused(given.run, given.specs[0], [])


@pytest.mark.parametrize(("code", "exit_code"), [("3", 3), ("None", 0), ("0", 0)])
def test_a_command_may_end_as_argparse_does(commands, code, exit_code):
    given = commands(one(f"lambda args: exec('raise SystemExit({code})')"))
    assert given.run(given.specs[0], []) == exit_code


def test_the_last_words_of_a_command_are_its_error(commands):
    given = commands(one("lambda args: exec('raise SystemExit(\"no such file\")')"))
    with pytest.raises(GepaError, match=r"^no such file$") as caught:
        given.run(given.specs[0], [])
    assert caught.value.exit_code is ExitCode.FAILED


def test_an_error_of_ours_keeps_its_code(commands):
    given = commands(one("go"), "\ndef go(args):\n    from gepa_framework.errors import WorkspaceError\n"
                                "    raise WorkspaceError('no run')\n")  # fmt: skip
    with pytest.raises(WorkspaceError, match=r"^no run$"):
        given.run(given.specs[0], [])


def test_an_interrupt_of_a_command_passes(commands):
    given = commands(one("lambda args: exec('raise KeyboardInterrupt')"))
    with pytest.raises(KeyboardInterrupt):
        given.run(given.specs[0], [])


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (
            "",
            "implements no gepa_cli_commands and no gepa_report_sections and no gepa_scenarios; define",
        ),
        ("@hookimpl\ndef gepa_cli_commands(config): ...", "takes the unknown argument 'config'; it takes no"),
        ("@hookimpl\ndef gepa_cli_comands(): ...", "gepa_cli_comands; did you mean gepa_cli_commands?"),
        ("@hookimpl\nasync def gepa_cli_commands(): ...", "gepa_cli_commands is asynchronous"),
    ],
)
def test_an_extra_whose_hook_cannot_be_called_is_refused(site, source, hook, said):
    site.offer(source(Kind.EXTRA, "tool", hook=hook + "\n"), kind=Kind.EXTRA, name="tool")
    assert said in refused(Plugins.discover().load, Kind.EXTRA, "tool")


def test_an_extra_has_no_config(site, source):
    head = "@attrs.frozen\nclass C:\n    fine: int = 1"
    info = "kind=Kind.EXTRA, name='tool', api='>=1.0,<2', config=C"
    text = source(Kind.EXTRA, "tool", head=head, info=info, hook=HOOK.format("return []"))
    site.offer(text, kind=Kind.EXTRA, name="tool")
    assert "has a config, and no table is an extra's; leave it out" in refused(
        Plugins.discover().load, Kind.EXTRA, "tool"
    )


def test_only_the_named_extra_is_asked(site, source):
    body = "return [CommandSpec({!r}, 'Does it.', len)]"
    for dist, name in (("gf-alpha", "tool"), ("gf-beta", "other")):
        text = source(Kind.EXTRA, name, hook=HOOK.format(body.format(name)))
        site.offer(text, kind=Kind.EXTRA, name=name, dist=dist)
    plugins = Plugins.discover()
    assert [spec.name for spec in plugins.commands("tool").specs] == ["tool"]
    assert "gf_beta" not in sys.modules
    assert [spec.name for spec in plugins.commands("other").specs] == ["other"]


def test_a_command_is_a_value():
    assert CommandSpec("a", "A.", "m:f") == CommandSpec("a", "A.", "m:f")
