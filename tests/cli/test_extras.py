"""Commands of plugins: by name on the command line, imported when they are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PLUGIN = """
import sys
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import CommandSpec, Kind, PluginInfo

plugin_info = PluginInfo(kind=Kind.EXTRA, name={name!r}, api=">=1.0,<2", summary="Helps.")


def echo(arguments):
    print(*arguments, sep="|")
    return len(arguments)


def fail(arguments):
    raise ValueError("bad luck")


def flood(arguments):
    for _ in range(100000):
        print("x" * 100)


@hookimpl
def gepa_cli_commands():
    return [{specs}]
"""
ECHO = 'CommandSpec({!r}, "Says it.", echo)'
FAIL = 'CommandSpec("fail", "Fails.", fail)'


@pytest.fixture
def offer(shell):
    """Install an extra; give the command line."""

    def offer(name="echo", specs="", dist="gf-cli-extra", source=PLUGIN):
        specs = specs or ECHO.format(name)
        module = dist.replace("-", "_")
        info = shell.site / f"{module}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[gepa_framework.extras]\n{name} = {module}\n")
        (shell.site / f"{module}.py").write_text(source.format(name=name, specs=specs))
        return shell

    return offer


@pytest.mark.parametrize("arguments", [[], ["a"], ["-v", "--", "--help", "b"], ["--json"], ["-h"]])
def test_everything_behind_the_name_of_an_extra_is_its_own(offer, arguments) -> None:
    done = offer().run("echo", *arguments)
    assert (done.exit_code, done.stdout) == (len(arguments), "|".join(arguments) + "\n")


def test_an_extra_of_several_commands_is_a_group(offer) -> None:
    shell = offer("desk", f"{ECHO.format('echo')}, {FAIL}")
    listing = "Usage: gepa desk COMMAND [ARGS]...\n\nCommands of gf-cli-extra 2.0:\n"
    listing += "  echo  Says it.\n  fail  Fails.\n"
    for arguments in ((), ("--help",), ("-h",)):
        done = shell.run("desk", *arguments)
        assert (done.exit_code, done.stdout) == (0, listing)
    assert shell.run("desk", "echo", "--help", "x").stdout == "--help|x\n"
    done = shell.run("desk", "eco")
    assert done.exit_code == 2
    assert "No such command 'desk eco'. Did you mean 'echo'?" in done.stderr
    assert "There are: echo, fail." in shell.run("desk", "zzzz").stderr


def test_the_help_lists_extras_and_imports_none(offer) -> None:
    shell = offer(source="raise RuntimeError('{name} {specs}')")
    code = (
        "import sys; from gepa_framework.cli.main import gepa\n"
        "gepa.main(['--help'], standalone_mode=False)\n"
        "sys.exit(any(name.startswith(('gf_cli_', 'pluggy', 'stevedore')) for name in sys.modules))"
    )
    process = shell.popen(code=code)
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")
    assert "Commands of plugins:\n  echo  (plugin: gf-cli-extra)\n" in out


def test_without_extras_the_help_says_nothing_of_them(shell) -> None:
    assert "Commands of plugins" not in shell.run("--help").stdout


def test_a_broken_distribution_does_not_take_the_help_away(offer) -> None:
    shell = offer()
    info = shell.site / "gf_cli_odd-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_bytes(b"[gepa_framework.extras]\n\xff\n")
    assert "echo  (plugin: gf-cli-extra)" in shell.run("--help").stdout
    assert shell.run("echo", "x").exit_code == 1


@pytest.mark.parametrize("name", ["Echo", "ECHO", "gf-cli-extra:echo", "gf_cli_extra:echo"])
def test_an_extra_is_named_as_plugins_are(offer, name: str) -> None:
    assert offer().run(name, "x").stdout == "x\n"


def test_a_mistyped_name_is_answered_with_the_extra(offer) -> None:
    done = offer("harvest", ECHO.format("harvest")).run("harvst")
    assert done.exit_code == 2
    assert "No such command 'harvst'. Did you mean 'harvest'?" in done.stderr


def test_a_broken_extra_is_named_when_it_is_asked_for_and_harms_nobody_else(offer) -> None:
    shell = offer(source="import gf_cli_nowhere\n")
    done = shell.run("echo")
    assert done.exit_code == 4
    assert "the extra 'echo' of gf-cli-extra 2.0 (gf_cli_extra) did not import" in done.stderr
    assert shell.run("check", "--config", "gepa.toml").exit_code == 0


def test_an_extra_that_fails_is_no_bug_of_ours(offer) -> None:
    shell = offer("desk", FAIL)
    done = shell.run("desk", "fail")
    assert (done.exit_code, done.stdout) == (4, "")
    said = "the extra 'desk' of gf-cli-extra 2.0: the command 'fail' raised ValueError: bad luck"
    assert done.stderr == f"error: {said}\n"
    assert "Traceback" in shell.run("-v", "desk", "fail").stderr


def test_two_that_offer_one_name_are_told_apart_by_their_distribution(offer) -> None:
    offer()
    shell = offer(dist="gf-cli-more")
    done = shell.run("echo")
    assert done.exit_code == 4
    assert 'next: write "gf-cli-extra:echo" or "gf-cli-more:echo"' in done.stderr
    assert shell.run("gf-cli-more:echo", "x").stdout == "x\n"
    help_text = shell.run("--help").stdout
    assert "echo  (plugin: gf-cli-extra)" in help_text
    assert "echo  (plugin: gf-cli-more)" in help_text


@pytest.mark.parametrize("name", ["run", "Plugins"])
def test_a_command_of_ours_comes_first_and_the_clash_is_told(offer, name: str) -> None:
    shell = offer(name, ECHO.format(name.lower()))
    assert "(plugin:" not in shell.run("--help").stdout
    assert "Usage: gepa run [OPTIONS]" in shell.run("run", "--help").stdout
    listed = shell.run("plugins", "list")
    warning = f"the extra '{name}' of gf-cli-extra 2.0 has the name of a command of gepa; call it as: gepa "
    assert f"warning: {warning}gf-cli-extra:{name}\n" in listed.stderr
    assert json.loads(shell.run("plugins", "list", "--json").stdout)["problems"] == [
        f"{warning}gf-cli-extra:{name}"
    ]
    assert shell.run(f"gf-cli-extra:{name}", "x").stdout == "x\n"


def test_an_extra_has_a_page(offer) -> None:
    text = offer().run("plugins", "show", "extra:echo").stdout
    assert text.startswith("extra echo: Helps.\n")
    assert text.endswith("# Selected on the command line: gepa echo\n")


def test_a_reader_who_goes_away_is_no_failure_of_an_extra(offer) -> None:
    shell = offer("flood", 'CommandSpec("flood", "Floods.", flood)')
    process = shell.popen("flood")
    assert process.stdout.read(10) == "x" * 10
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=50), err) == (0, "")


def test_an_unknown_command_imports_no_plugin_machinery(shell) -> None:
    code = (
        "import sys; from gepa_framework.cli.main import gepa\n"
        "try: gepa.main(['zzz'])\nexcept SystemExit as end: code = end.code\n"
        "print(code, 'pluggy' in sys.modules)"
    )
    environ = {**os.environ, "PYTHONPATH": str(shell.site)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.stdout == "2 False\n"
