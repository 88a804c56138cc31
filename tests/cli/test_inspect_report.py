"""``gepa report``: one file without script or network, in which texts of others do nothing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from gepa_framework.app.report import html as html_page

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = (
    "</script><script>alert(1)</script></pre></title></style><img src=x onerror=alert(1)>"
    "{{ 7*7 }}<!-- ]]> \\u0000\\u001b[31m\\u202e\\ud800 & \\\" ' http://evil.example/x"
)


class Page(HTMLParser):
    """Reads a page, and notices what is not closed."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


@pytest.fixture
def page(shell):
    """Give a function that makes the page of the run ``first``."""

    def page(*arguments):
        done = shell.run("report", "first", "--html", "-", *arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        return Page(done.stdout)

    return page


def assert_inert(page):
    assert not {"script", "iframe", "object", "embed", "link", "base", "form", "img"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in {"href", "src", "action", "xlink:href", "srcset", "data"}, (tag, name, value)
        assert "url(" not in value
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)
    assert "default-src 'none'" in policy
    style = page.text.partition("</style>")[0]
    assert "@import" not in style
    assert "url(" not in style


def test_the_page_is_written_where_it_is_asked_for(shell, finished, tmp_path) -> None:
    done = shell.run("report", "first", "--html")
    assert re.fullmatch(r"gepa-report-first\.html, [\d.]+ kB\n", done.stdout)
    assert Page((shell.path / "gepa-report-first.html").read_text()).tags[0] == "html"
    assert shell.run("report", "first", "--html", str(tmp_path / "a.html")).exit_code == 0
    assert (tmp_path / "a.html").is_file()
    done = shell.run("report", "first", "--html", str(tmp_path / "nowhere" / "a.html"))
    assert done.exit_code == 5


def test_the_page_has_every_part_and_needs_nothing_else(finished, page) -> None:
    seen = page()
    assert_inert(seen)
    for heading in (
        *("Score over rollouts", "Best candidate", "What changed since the seed", "Lineage", "Frontier"),
        *("What each candidate changed", "Calls by boundary", "Decision log"),
    ):
        assert heading in seen.text
    styles = {value for tag, name, value in seen.attributes if tag == "svg" and name == "class"}
    assert styles == {"chart wide", "chart narrow", "tree", "heat", "bars wide", "bars narrow"}
    assert "prefers-color-scheme:dark" in seen.text
    assert "max-width:640px" in seen.text
    manifest = json.loads((finished / "result_manifest.json").read_text())
    assert f"{manifest['heldout']['best']['score']:.3f}" in seen.text
    assert manifest["best_candidate"]["skills"] in seen.text


def test_hostile_texts_do_nothing(finished, reworded, page) -> None:
    reworded("practise what was missed", HOSTILE)
    reworded('"skills":"0 0', f'"skills":"{HOSTILE}0 0')
    reworded("train:1", f"train:{HOSTILE}1")
    seen = page()
    assert_inert(seen)
    assert "<script>alert(1)</script>" in seen.text
    assert "{{ 7*7 }}" in seen.text
    assert not {"\x00", "\x1b", "\u202e"} & set(seen.text)


def test_hostile_texts_do_nothing_to_markdown(shell, finished, reworded) -> None:
    reworded("practise what was missed", HOSTILE)
    reworded('"skills":"0 0', '"skills":"```\\n# forged\\n````0 0')
    text = shell.run("report", "first", "--md").stdout
    assert "`````diff" in text
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "# forged" not in outside
    assert "<script>" not in outside


def test_a_long_run_is_cut_with_words(finished, page, monkeypatch) -> None:
    monkeypatch.setattr(html_page, "MOST_LOG", 3)
    monkeypatch.setattr(html_page, "MOST_DIFFS", 1)
    seen = page()
    assert re.search(r"\d+ earlier entries are not shown", seen.text)
    assert re.search(r"\d+ earlier ones are not shown", seen.text)


def test_markdown_tells_the_same_in_short(shell, finished) -> None:
    text = shell.run("report", "first", "--md").stdout
    for heading in ("# first", "## Frontier", "## Best candidate against the seed", "## Decision log"):
        assert f"\n{heading}\n" in f"\n{text}"
    assert "```diff\n--- a/skills" in text


@pytest.mark.parametrize("forms", [[], ["--md", "--json"], ["--html", "-", "--md"]])
def test_one_form_has_to_be_named(shell, finished, forms) -> None:
    done = shell.run("report", "first", *forms)
    assert done.exit_code == 2


PLUGIN = """
from gepa_framework.hookspecs import hookimpl
from gepa_framework.types import Kind, PluginInfo, ReportSection

plugin_info = PluginInfo(kind=Kind.EXTRA, name={name!r}, api=">=1.0,<2", summary="Tells more.")


@hookimpl
def gepa_report_sections(run):
    {body}
"""


@pytest.fixture
def offer(shell):
    """Install an extra with report sections."""

    def offer(body, name="extra-words", dist="gf-cli-words"):
        module = dist.replace("-", "_")
        info = shell.site / f"{module}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[gepa_framework.extras]\n{name} = {module}\n")
        (shell.site / f"{module}.py").write_text(PLUGIN.format(name=name, body=body))

    return offer


def test_a_named_extra_adds_its_sections(shell, finished, page, offer) -> None:
    offer(
        "return [ReportSection('Status', f'{run.run_id} is <b>{run.status}</b>'), "
        "ReportSection('Count', 'plain', '<b id=\"mine\">n</b>', {'n': len(run.data['candidates'])})]"
    )
    seen = page("--with", "extra-words")
    assert "first is <b>finished</b>" in seen.text
    assert ("b", "id", "mine") in seen.attributes
    assert "From the extra 'extra-words' of gf-cli-words 2.0" in seen.text
    told = json.loads(shell.run("report", "first", "--json", "--with", "extra-words").stdout)
    assert [each["title"] for each in told["sections"]] == ["Status", "Count"]
    assert told["sections"][1]["data"] == {"n": len(told["candidates"])}
    assert "## Status" in shell.run("report", "first", "--md", "--with", "extra-words").stdout


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('bad luck')", "gepa_report_sections raised ValueError: bad luck"),
        ("return 'text'", "gepa_report_sections returned 'text'"),
        ("return [7]", "gepa_report_sections returned 7 among the sections"),
        ("return [ReportSection('two\\nlines')]", "title must be one line of text"),
    ],
)
def test_a_section_that_fails_is_replaced_by_a_note_that_names_its_plugin(
    finished, page, offer, body, said
) -> None:
    offer(body)
    seen = page("--with", "extra-words")
    assert "Decision log" in seen.text
    assert "extra-words: no section" in seen.text
    assert said in seen.text
    assert "gf-cli-words 2.0" in seen.text


def test_an_extra_without_a_word_to_say_adds_nothing(shell, finished, offer) -> None:
    offer("return None")
    told = json.loads(shell.run("report", "first", "--json", "--with", "extra-words").stdout)
    assert told["sections"] == []


def test_only_extras_that_are_named_are_imported(shell, finished, offer) -> None:
    offer("return []\nraise RuntimeError('imported')")
    assert shell.run("report", "first", "--md").exit_code == 0
    assert shell.run("report", "first", "--md", "--with", "extra-words").exit_code == 4
    done = shell.run("report", "first", "--md", "--with", "extra-wrds")
    assert done.exit_code == 4
    assert "extra-words" in done.stderr


def test_an_extra_of_sections_alone_brings_no_command(shell, offer) -> None:
    offer("return []")
    done = shell.run("extra-words")
    assert done.exit_code == 4
    assert "brings no command" in done.stderr
    assert "gepa report RUN --with extra-words" in done.stderr
