"""The metrics, and that alert rules and dashboard speak of metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from copydesk import metrics
from tests.processes import ROOT

ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "copydesk.json").read_text(encoding="utf-8"))
MANUAL = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")


def exposed() -> set[str]:
    """Every series name that a process exposes, whether it has counted anything yet or not."""
    names = set()
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        names |= {family.name, f"{family.name}_total", f"{family.name}_bucket", f"{family.name}_count"}
    return names


def expressions() -> Iterator[tuple[str, str]]:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_each_expression_asks_for_metrics_that_there_are(where: str, expression: str) -> None:
    asked = set(re.findall(r"\bcopydesk_\w+", expression))

    assert asked or "up{" in expression, where
    assert asked <= exposed()
    assert expression.count("(") == expression.count(")")


def test_every_alarm_has_its_section_with_what_to_do() -> None:
    alarms = [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", MANUAL))

    assert len(alarms) == len(set(alarms)) > 5
    assert list(sections) == alarms
    assert [name for name, text in sections.items() if "\n1. " not in text] == []


def test_the_scrape_configuration_names_every_process() -> None:
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (names,) = [found["names"] for found in scrape["scrape_configs"][0]["dns_sd_configs"]]
    folders = {path.parent.name for part in ("services", "workers") for path in (ROOT / part).glob("*/__main__.py")}

    assert set(names) == folders
