"""What the security pages name is there: each test, each page; and a claim is one of the states the table explains."""

import re

import pytest

from tests.architecture.tree import ROOT

PAGES = ("docs/reference/asvs.md", "docs/explanation/threat-model.md", "docs/explanation/hostile-models.md")
STATES = ("met", "met by a setting", "met by deployment", "open", "n/a")
ROW = re.compile(r"^\| (?P<item>\d[^|]*) \| (?P<subject>[^|]+) \| (?P<state>[^|]+) \| (?P<why>[^|]+) \|$")


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    named = re.findall(r"`((?:tests|governance|benchmarking|reviews)/[\w/*.]+)`", (ROOT / page).read_text())
    assert named
    assert [path for path in named if not list(ROOT.glob(path))] == []


def test_every_claim_stands_once_and_has_a_state() -> None:
    lines = (ROOT / PAGES[0]).read_text().splitlines()
    rows = [ROW.match(line) for line in lines if line.startswith("| ") and not line.startswith(("| Item", "| ---"))]
    assert len(rows) > 40
    assert None not in rows
    assert [row["item"] for row in rows if row and row["state"] not in STATES] == []
    items = [row["item"] for row in rows if row]
    assert len(set(items)) == len(items)
