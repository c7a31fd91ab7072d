"""Dashboard and alert rules: they name what `/metrics` exports, and promtool tests the rules."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from reviews.requests.models import ReviewRequest
from tests.architecture.tree import ROOT
from tests.factories.people import Cast

MONITORING = ROOT / "docker" / "monitoring"
RULES, DASHBOARD = MONITORING / "alerts.yaml", MONITORING / "dashboard.json"
OWN = re.compile(r"\b(weighbridge_\w+)(?:\{([^}]*)\})?")


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return shown + [rule["expr"] for rule in rules()]


@pytest.fixture
def exported(decided: ReviewRequest, api: Callable[[User], APIClient], cast: Cast) -> dict[str, set[str]]:
    """Each name that `/metrics` exports, with its labels."""
    answer = api(cast.admin).get("/metrics")
    assert answer.status_code == 200
    names: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        suffixes = ("_bucket", "_sum", "_count") if family.type == "histogram" else ("",)
        names |= {f"{family.name}{suffix}": set() for suffix in suffixes}
        for sample in family.samples:
            names.setdefault(sample.name, set()).update(sample.labels)
    return names


def test_every_name_and_label_is_exported(exported: dict[str, set[str]]) -> None:
    used = [found for expression in expressions() for found in OWN.findall(expression)]
    assert {name for name, _ in used} - set(exported) == set()
    wrong = [
        (name, label)
        for name, labels in used
        for label in re.findall(r"(\w+)=", labels)
        if exported[name] and label not in exported[name]
    ]
    assert wrong == []


def test_the_dashboard_shows_every_metric(exported: dict[str, set[str]]) -> None:
    shown = {name for panel in panels() for target in panel["targets"] for name, _ in OWN.findall(target["expr"])}
    histograms = {name.removesuffix("_bucket") for name in exported if name.endswith("_bucket")}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported} - {"weighbridge_audit_events"}
    assert families - {re.sub(r"_bucket$", "", name) for name in shown} == set()
    assert {name for name in histograms if f"{name}_bucket" not in shown} == set()


def test_every_alert_says_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules()) == 11
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_alert_is_tested_in_both_directions() -> None:
    cases = [
        case
        for test in yaml.safe_load((MONITORING / "alerts.test.yaml").read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in rules()}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


def test_no_panel_covers_another() -> None:
    covered = [
        (x, y)
        for panel in panels()
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed; Debian's package prometheus has it")
    return subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)


def test_the_rules_do_what_their_tests_say() -> None:
    tried = promtool("test", "rules", MONITORING / "alerts.test.yaml")
    assert (tried.returncode, tried.stderr) == (0, ""), tried.stdout


@pytest.mark.parametrize("number", range(11))
def test_a_rule_that_is_never_true_fails_its_test(number: int, tmp_path: Path) -> None:
    document = yaml.safe_load(RULES.read_text())
    document["groups"][0]["rules"][number]["expr"] = "vector(1) > 2"
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(document))
    shutil.copy(MONITORING / "alerts.test.yaml", tmp_path)
    assert promtool("test", "rules", tmp_path / "alerts.test.yaml").returncode == 1


def test_every_expression_of_the_dashboard_can_be_parsed(tmp_path: Path) -> None:
    recorded = [{"record": f"dashboard:{number}", "expr": text} for number, text in enumerate(expressions())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    checked = promtool("check", "rules", "--lint=none", tmp_path / "rules.yaml")
    assert checked.returncode == 0, checked.stderr
