from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from gepa_framework.types import BuildContext, Kind, NoConfig

HEAD = """
import attrs
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, NoConfig, PluginInfo
"""

BODIES = {
    Kind.PROPOSER: "async def propose(self, request): ...\n    async def close(self): ...",
    Kind.TRANSPORT: "\n    ".join(
        f"async def {name}(self, *args): ..." for name in ("describe", "program", "rows", "rollout", "close")
    ),
    Kind.CACHE: "\n    ".join(f"async def {name}(self, *args): ..." for name in ("get", "put", "close")),
    Kind.STOPPER: "def check(self, view): return None",
    Kind.EXECUTOR: "\n    ".join(
        f"async def {name}(self, *args): ..." for name in ("submit", "drain", "close")
    ),
    Kind.STORE: "\n    ".join(
        f"def {name}(self, *args): ..."
        for name in (
            *("location", "exists", "create", "open", "meta", "append", "rows", "last", "blob", "close"),
        )
    ),
    Kind.LISTENER: "def on_event(self, event): ...\n    def close(self): ...",
}


def plugin_source(
    kind: Kind = Kind.STOPPER,
    name: str = "patience",
    *,
    head: str = "",
    info: str | None = None,
    hook: str | None = None,
) -> str:
    """Give the source of a plugin module, good unless a part of it is replaced."""
    given = info or f"kind=Kind.{kind.name}, name={name!r}, api='>=1.0,<2'"
    factory = hook or f"@hookimpl\ndef {kind.hook}(config, context):\n    return Made(config, context)\n"
    made = (
        "class Made:\n    def __init__(self, config, context):\n"
        "        self.config, self.context = config, context\n"
        f"    {BODIES.get(kind, '')}\n"
    )
    return f"{HEAD}\n{head}\n{made}\nplugin_info = PluginInfo({given})\n{factory}"


@attrs.frozen
class Site:
    """A directory on ``sys.path`` that distributions are written to as pip would leave them."""

    path: Path

    def install(
        self,
        dist: str,
        points: dict[str, dict[str, str]],
        modules: dict[str, str],
        *,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
    ) -> None:
        info = self.path / f"{dist.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = [f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        sections = [
            f"[gepa_framework.{group}]\n"
            + "\n".join(f"{name} = {target}" for name, target in entries.items())
            for group, entries in points.items()
        ]
        (info / "entry_points.txt").write_text("\n\n".join(sections) + "\n")
        for module, source in modules.items():
            (self.path / f"{module}.py").write_text(source)
        importlib.invalidate_caches()

    def offer(
        self,
        source: str,
        *,
        kind: Kind = Kind.STOPPER,
        name: str = "patience",
        dist: str = "gf-alpha",
        version: str = "1.0",
        requires: tuple[str, ...] = (),
    ) -> None:
        """Install a distribution with one plugin whose module is named after the distribution."""
        module = dist.replace("-", "_")
        points = {f"{kind}s": {name: module}}
        self.install(dist, points, {module: source}, version=version, requires=requires)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    path = tmp_path / "site-packages"
    path.mkdir()
    monkeypatch.syspath_prepend(path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Site(path)
    for name in [name for name in sys.modules if name.startswith("gf_")]:
        del sys.modules[name]


@pytest.fixture
def source() -> Callable[..., str]:
    return plugin_source


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    return BuildContext(run_id="r1", run_dir=tmp_path / "run", base_dir=tmp_path)


@pytest.fixture
def no_config() -> NoConfig:
    return NoConfig()
