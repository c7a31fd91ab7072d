"""The page of promises: each part of it is told by a trial, each trial has a part, and each metric value names
its command.
"""

import re

from tests.architecture.tree import ROOT
from tests.promises import harness_report
from tests.promises.harness_sections import SECTIONS

TRIALS = ROOT / "tests" / "promises"
TOLD = re.compile(r'harness_report\.tell\(\s*"(\w+)"')
FILE = re.compile(r"pytest (tests/promises/test_\w+\.py)|python -m (tests\.promises\.harness\w*)")


def test_every_part_of_the_page_is_told_by_a_trial() -> None:
    told = {name for path in TRIALS.glob("test_*.py") for name in TOLD.findall(path.read_text(encoding="utf-8"))}
    assert told == {section.trial for section in SECTIONS}


def test_every_metric_value_names_a_command_that_can_be_given() -> None:
    kept = harness_report._read().values()
    assert kept
    for metric_value in kept:
        found = FILE.search(metric_value["command"])
        assert found is not None, metric_value["command"]
        assert (ROOT / (found[1] or f"{found[2].replace('.', '/')}.py")).exists(), metric_value["command"]


def test_every_part_shows_metric_values_its_trials_have() -> None:
    kept = list(harness_report._read().values())
    for section in SECTIONS:
        for metric_value in (each for each in kept if each["trial"] == section.trial):
            assert set(section.columns) <= set(metric_value), (section.trial, metric_value)
