"""The page of promises: each part of it is told by a trial, each trial has a part, and each figure names
its command.
"""

import re

from tests.architecture.tree import ROOT
from tests.promises import harness_report
from tests.promises.harness_sections import SECTIONS

TRIALS = ROOT / "tests" / "promises"
TOLD = re.compile(r'harness_report\.tell\(\s*"(\w+)"')
FILE = re.compile(r"pytest (tests/promises/test_\w+\.py)|python -m (tests\.promises\.harness) ")


def test_every_part_of_the_page_is_told_by_a_trial() -> None:
    told = {name for path in TRIALS.glob("test_*.py") for name in TOLD.findall(path.read_text(encoding="utf-8"))}
    assert told == {section.trial for section in SECTIONS}


def test_every_figure_names_a_command_that_can_be_given() -> None:
    kept = harness_report._read().values()
    assert kept
    for figure in kept:
        found = FILE.search(figure["command"])
        assert found is not None, figure["command"]
        assert (ROOT / (found[1] or f"{found[2].replace('.', '/')}.py")).exists(), figure["command"]


def test_every_part_shows_figures_its_trials_have() -> None:
    kept = list(harness_report._read().values())
    for section in SECTIONS:
        for figure in (each for each in kept if each["trial"] == section.trial):
            assert set(section.columns) <= set(figure), (section.trial, figure)
