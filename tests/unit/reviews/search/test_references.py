"""What a text of a search names."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchmarking
import governance
import reviews
from reviews.search.domain import Reference, ReferenceKind, reference_in

PARTS = ("Comment ", "Thread ")
"""Parts of a discussion, which pages never call by their numbers."""


@pytest.mark.parametrize(
    ("text", "kind", "named"),
    [
        ("MRR-2026-0001", ReferenceKind.REQUEST, "MRR-2026-0001"),
        ("  mrr-2026-0001 ", ReferenceKind.REQUEST, "MRR-2026-0001"),
        ("AUT-2026-0017", ReferenceKind.AUTHORIZATION, "AUT-2026-0017"),
        ("ACT-2026Q4-03", ReferenceKind.ACTION_ITEM, "ACT-2026Q4-03"),
        ("chg-7", ReferenceKind.CHANGE, "7"),
        ("FND-12", ReferenceKind.FINDING, "12"),
        ("abs-4", ReferenceKind.ABSENCE, "4"),
        ("WHK-4", ReferenceKind.WEBHOOK, "4"),
        ("Bill 4", ReferenceKind.BILL, "4"),
        ("run 5", ReferenceKind.RUN, "5"),
        ("Run-5", ReferenceKind.RUN, "5"),
        ("2026q3", ReferenceKind.QUARTER, "2026Q3"),
    ],
)
def test_references(text: str, kind: ReferenceKind, named: str) -> None:
    assert reference_in(text) == Reference(kind, named)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "visual search",
        "MRR-",
        "CHG-",
        "CHG-x",
        "FND-1234567890",
        "run",
        "runs 5",
        "bill",
        "billing 5",
        "WHK-",
        "2026Q5",
        "MRR-2026-0001 x",
        "MRR-2026",
        "AUT-2026-",
        "ACT-2026Q4",
        "MRR-2026Q4-1",
    ],
)
def test_words(text: str) -> None:
    assert reference_in(text) is None


def test_whatever_a_table_names_by_its_number_is_a_reference() -> None:
    apps = (Path(module.__file__).parent for module in (governance, benchmarking, reviews) if module.__file__)
    sources = [path.read_text() for app in apps for path in app.rglob("models*.py") if "migrations" not in path.parts]
    names = sorted(name for text in sources for name in re.findall(r'return f"([A-Z]\w*[- ])\{self\.pk\}"', text))
    assert names == ["ABS-", "Bill ", "CHG-", "Comment ", "FND-", "Thread ", "WHK-"]
    found = [name for name in names if reference_in(f"{name}7")]
    assert found == [name for name in names if name not in PARTS]


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_words(text: str) -> None:
    found = reference_in(text)
    assert found is None or found.text.isascii()
