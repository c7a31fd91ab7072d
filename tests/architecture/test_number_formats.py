"""No number but zero is shown as zero: texts for people use the formats of the house, which keep a first digit.

A fixed number of decimals turns 0.0004 into 0.000, and 99.6 % into 100 %. The toolkit is checked by its own tables.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_templates import offenses
from tests.architecture.tree import ROOT, TOOLKIT, name_of, parsed, sources, templates

ROUNDED_FILTER = re.compile(r"\|\s*(floatformat|intcomma|stringformat(?!:.s))\b")
FIXED = re.compile(r"\.\d+[f%]$|%$")
FIXED_BY_PERCENT = re.compile(r"%[-+ 0]*\d*\.\d+f|\{[^{}]*:[^{}]*\.\d+[f%]\}")
# Where a fixed number of decimals can erase nothing.
HARMLESS = {
    ("config/reference/performance.py", ",.0f"): "only for numbers from 1,000 up",
    ("reviews/quarterly/domain/printed/charts.py", ",.0f"): "only for zero and amounts from one dollar up",
    ("reviews/requests/domain/wording.py", ".1f"): "a size in its largest unit is at least 1",
}


def fixed_formats(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Format and line of each number with fixed decimals: in an f-string, in `format`, or in a template of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            spec = "".join(part.value for part in node.format_spec.values if isinstance(part, ast.Constant))
            if FIXED.search(spec):
                yield spec, node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "format":
            spec = next((str(each.value) for each in node.args[1:] if isinstance(each, ast.Constant)), "")
            if FIXED.search(spec):
                yield spec, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and FIXED_BY_PERCENT.search(node.value):
            yield FIXED_BY_PERCENT.findall(node.value)[0], node.lineno


def of_people() -> list[Path]:
    """The Python files of the server."""
    return [path for path in sources("config", "governance", "benchmarking", "reviews") if TOOLKIT not in str(path)]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('f"{x:.3f}"', [".3f"]),
        ('f"{x:+.1%}"', ["+.1%"]),
        ('f"{x:%}"', ["%"]),
        ('f"{x:,.0f} tokens"', [",.0f"]),
        ('format(x, ".2f")', [".2f"]),
        ('"{:.2f}".format(x)', ["{:.2f}"]),
        ('"%.2f" % x', ["%.2f"]),
        ('f"{x:,f} {x:g} {x:.4g} {day:%Y-%m-%d} {x:,.{digits}f}"', []),
        ('format(x, "f")', []),
    ],
)
def test_a_planted_format_is_found(code: str, found: list[str]) -> None:
    assert [spec for spec, _ in fixed_formats(ast.parse(code))] == found


def test_no_template_rounds_by_itself() -> None:
    assert offenses(ROUNDED_FILTER, templates()) == []


def test_no_text_of_the_server_has_a_fixed_number_of_decimals() -> None:
    found = {
        (name_of(path), spec): f"{name_of(path)}:{line} {spec}"
        for path in of_people()
        for spec, line in fixed_formats(parsed(path))
    }
    assert [words for key, words in found.items() if key not in HARMLESS] == []
    assert found.keys() == HARMLESS.keys()
    assert (ROOT / TOOLKIT).is_dir()
