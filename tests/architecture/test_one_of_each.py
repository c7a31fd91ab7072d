"""One of each: jobs have one mechanism, and so have changes that take two people."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, functions, name_of, parsed, sources

APPROVAL_LINES = 700
APPROVAL_FILES = (
    "governance/people/approvals/__init__.py",
    "governance/people/approvals/enums.py",
    "governance/people/approvals/kinds.py",
    "governance/people/approvals/models.py",
    "governance/people/approvals/actions.py",
    "governance/people/approvals/api.py",
    "governance/budgets/actions/budget_changes.py",
    "governance/operations/web/changes.py",
)
RULES = {
    "governance/rulebook/rules.py": {"check_propose_publication"},
    "governance/budgets/rules.py": {"check_propose_budget_change"},
}


def is_state(node: ast.AST, word: str) -> bool:
    """Whether a node is `JobState.WORD`."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == word
        and isinstance(node.value, ast.Name)
        and node.value.id == "JobState"
    )


def set_in(node: ast.AST) -> list[ast.AST]:
    """What a statement or call stores: the values of an assignment, of `state=…` and of `{"state": …}`."""
    if isinstance(node, ast.Assign):
        return list(node.value.elts) if isinstance(node.value, ast.Tuple) else [node.value]
    if isinstance(node, ast.Call):
        stored = isinstance(node.func, ast.Attribute) and node.func.attr in {"write", "update", "create", "renew"}
        return [each.value for each in node.keywords if each.arg == "state" and stored]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "state"]
    return []


def writers(tree: ast.AST, word: str) -> list[str]:
    """Functions that put a row of work into the state `word`."""
    return [
        function.name
        for function in functions(tree)
        if any(is_state(value, word) for node in ast.walk(function) for value in set_in(node))
    ]


def all_writers(word: str) -> set[str]:
    return {f"{name_of(path)}: {name}" for path in sources() for name in writers(parsed(path), word)}


@pytest.mark.parametrize(
    "line",
    [
        "row.state, row.error = JobState.DEAD, ''",
        "row.state = JobState.DEAD",
        "rows.update(state=JobState.DEAD)",
        "row.write(**{'state': JobState.DEAD})",
    ],
)
def test_a_function_that_marks_a_row_is_seen(line: str) -> None:
    assert writers(ast.parse(f"def bury(row):\n    {line}"), "DEAD") == ["bury"]
    assert writers(ast.parse("def ask(rows):\n    return rows.filter(state=JobState.DEAD)"), "DEAD") == []


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("DEAD", {"governance/jobs/actions.py: mark_dead"}),
        ("CANCELED", {"governance/jobs/actions.py: _stop"}),
        # A rejected file of the watched folder was never queued; its bill begins and ends as failed.
        ("FAILED", {"governance/jobs/actions.py: fail", "governance/bills/actions/bills.py: reject_file"}),
        # A worker gives a row back by one method; whoever retries goes through one function.
        ("QUEUED", {"governance/jobs/actions.py: requeue", "governance/jobs/models.py: hand_back"}),
    ],
)
def test_one_function_puts_a_row_of_work_into_a_state(word: str, expected: set[str]) -> None:
    assert all_writers(word) == expected


def counted(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_two_people_take_seven_hundred_lines_at_most() -> None:
    files = [ROOT / name for name in APPROVAL_FILES]
    rules = [each for name, names in RULES.items() for each in functions(parsed(ROOT / name)) if each.name in names]
    assert len(rules) == 2
    of_rules = sum((each.end_lineno or 0) - each.lineno + 3 for each in rules)
    assert sum(counted(path) for path in files) + of_rules <= APPROVAL_LINES
