"""The gate finds what is not reached where it must be, and nowhere else."""

import json
from pathlib import Path

import pytest

from tests.architecture.coverage_gate import gaps, is_held, main, unreached

WHOLE = {"missing_lines": [], "missing_branches": []}
TORN = {"missing_lines": [7], "missing_branches": [[8, 9]]}


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("governance/rulebook/domain/policy.py", True),
        ("benchmarking/toolkit/src/weighbridge/statistics/order_statistics.py", True),
        ("reviews/workflow/actions/review.py", True),
        ("reviews/tickets/actions.py", True),
        ("reviews/voting/domain/electorate.py", True),
        ("reviews/requests/rules.py", True),
        ("governance/people/approvals/actions.py", True),
        ("governance/people/approvals/kinds.py", True),
        ("reviews/snapshots/queries/allowed_steps.py", True),
        ("reviews/snapshots/queries/snapshot.py", False),
        ("reviews/requests/queries/requests.py", False),
        ("governance/site/web/status_badges.py", False),
        ("config/settings/rules.py", False),
    ],
)
def test_which_files_are_held(name: str, held: bool) -> None:
    assert is_held(name) is held


def test_a_gap_is_named_with_its_lines() -> None:
    files = {
        "reviews/requests/rules.py": TORN,
        "reviews/inbox/web.py": TORN,
        "reviews/voting/domain/electorate.py": WHOLE,
    }
    report = {"files": files}
    assert gaps(report) == ["reviews/requests/rules.py: 7"]


def test_branches_are_named_where_every_line_was_reached_and_long_lists_are_cut() -> None:
    assert unreached([], [[8, 9], [12, -3]]) == "8 -> 9, 12 -> exit"
    assert unreached([1, 2, 3], [], shown=2) == "1, 2, 1 more"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"reviews/requests/rules.py": WHOLE}, 0),
        ({"reviews/requests/rules.py": TORN}, 1),
        ({"reviews/inbox/web.py": WHOLE}, 1),
    ],
)
def test_exit_code(tmp_path: Path, files: dict[str, object], code: int) -> None:
    report = tmp_path / "coverage.json"
    report.write_text(json.dumps({"files": files}))
    assert main(str(report)) == code


def test_no_report_fails(tmp_path: Path) -> None:
    assert main(str(tmp_path / "none.json")) == 1
