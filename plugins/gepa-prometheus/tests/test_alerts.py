from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gepa_framework.testing.samples import sample_events
from gepa_prometheus.families import RunCollector
from gepa_prometheus.tally import Tally

HERE = Path(__file__).parent
ALERTS = HERE.parent / "src/gepa_prometheus/alerts.yml"
PAGE = HERE.parents[2] / "docs/plugins/gepa-prometheus.md"


def collector(**labels: str) -> RunCollector:
    """Give one that has every metric there is."""
    tally = Tally()
    for event in sample_events():
        tally.add(event)
    tally.limits, tally.heldout, tally.best_stderr = {"total_rollouts": 100}, {"best": 0.5}, 0.1
    return RunCollector("run-1", lambda: tally, labels)


def exposition(**labels: str) -> str:
    registry = CollectorRegistry()
    registry.register(collector(**labels))
    return generate_latest(registry).decode()


def test_the_rules_are_rules(promtool):
    assert "7 rules found" in promtool("check", "rules", ALERTS)


def test_each_alert_fires_when_it_should_and_not_before(promtool):
    assert "SUCCESS" in promtool("test", "rules", HERE / "alerts_test.yml")


def test_each_alert_is_tested_both_ways():
    tests = (HERE / "alerts_test.yml").read_text()
    for alert in re.findall(r"- alert: (\w+)", ALERTS.read_text()):
        assert re.search(rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts:\n", tests), alert


def test_each_metric_of_the_rules_is_served():
    named = set(re.findall(r"\bgepa_\w+", ALERTS.read_text()))
    assert named <= set(re.findall(r"^(\w+)", exposition(), flags=re.MULTILINE))


def test_the_exposition_has_nothing_that_promtool_minds(promtool):
    assert promtool("check", "metrics", given=exposition()) == ""
    assert promtool("check", "metrics", given=exposition(run="run-1", team="search")) == ""


def test_the_rules_are_written_to_standard_output():
    command = [sys.executable, "-m", "gepa_prometheus"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ALERTS.read_text()


@pytest.fixture
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not here")
    return PAGE.read_text()


def test_each_metric_has_its_row_on_the_page(page):
    rows = [
        f"| `{family.samples[0].name}` | {family.type} | "
        + ", ".join(f"`{name}`" for name in family.samples[0].labels)
        for family in collector().collect()
    ]
    told = re.findall(r"^(\| `gepa_\w+` \| \w+ \| .*?) ?\| [A-Z1]", page, flags=re.MULTILINE)
    assert told == rows


def test_each_alert_has_its_row_on_the_page(page):
    rules = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", ALERTS.read_text(), flags=re.DOTALL)
    assert re.findall(r"^\| `(Gepa\w+)` \| (\w+) \|", page, flags=re.MULTILINE) == rules


def test_the_configurations_of_the_page_are_taken(page, promtool, tmp_path):
    texts = re.findall(r"```text\n((?:#[^\n]*\n)*scrape_configs:.*?)```", page, flags=re.DOTALL)
    assert texts
    for text in texts:
        config = tmp_path / "prometheus.yml"
        config.write_text(text.replace("/etc/prometheus/rules/gepa.yml", str(ALERTS)))
        promtool("check", "config", config)


def test_a_fixed_target_is_not_in_the_job_whose_targets_go_with_their_runs(page):
    (text,) = re.findall(r"```text\n(scrape_configs:[^`]*static_configs:.*?)```", page, flags=re.DOTALL)
    (job,) = re.findall(r"job_name: (.+)", text)
    assert job not in re.findall(r'up\{job="(.+?)"', ALERTS.read_text())
