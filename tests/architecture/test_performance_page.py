"""Performance figures are kept one by one, and the page says what was kept: limits missed included."""

import ast
import json
from pathlib import Path

import pytest

from config.reference.performance import FIGURES, PARTS, performance
from tests.performance.recorder import Recorder

COMMAND = "python -m pytest 'tests/performance/test_x.py::test_y' -p no:randomly -q"


def test_a_figure_is_kept_in_the_place_of_the_one_before(tmp_path: Path) -> None:
    figures = tmp_path / "performance.json"
    for value, load, at in ((1.5, 3.04, "2026-11-01"), (1.0061234, 0.12, "2026-11-02")):
        keep = Recorder(COMMAND, load_before=load)
        assert keep("profile.overhead", value, "", title="Ours over bare", at_most=1.02).is_held is (value < 1.02)
        keep.write(figures, at=at)
    kept = json.loads(figures.read_text())
    assert list(kept) == ["profile.overhead"]
    found = kept["profile.overhead"]
    assert (found["value"], found["is_held"], found["at"], found["load_before"]) == (1.0061, True, "2026-11-02", 0.1)
    assert (
        "| Ours over bare | 1.006 | at most 1.02 | yes |  | 0.1 | 2026-11-02 |"
        in (tmp_path / "performance.md").read_text()
    )


@pytest.mark.parametrize(
    ("low", "high", "limit", "held"),
    [
        (None, None, "", ""),
        (90, None, "at least 90", "yes"),
        (None, 90, "at most 90", "**no**"),
        (93, 97, "93 to 97", "yes"),
        (96, 97, "96 to 97", "**no**"),
        (93, 94.5, "93 to 94.5", "**no**"),
    ],
)
def test_the_page_says_whether_a_limit_is_held(
    tmp_path: Path, low: float | None, high: float | None, limit: str, held: str
) -> None:
    keep = Recorder(COMMAND, load_before=0.0)
    keep("coverage.p50", 95, "%", title="p50", at_least=low, at_most=high, beside="2,000 trials")
    keep.write(tmp_path / "figures.json", at="2026-11-02")
    text = performance(tmp_path / "figures.json")
    assert f"| p50 | 95 % | {limit} | {held} | 2,000 trials | 0.0 | 2026-11-02 |" in text
    assert f"- `{COMMAND}`" in text


def test_the_page_says_what_was_not_run_for_want_of_a_card(tmp_path: Path) -> None:
    keep = Recorder(COMMAND, load_before=0.0)
    keep("profile.help", 0.2, "s", title="Help")
    keep.write(tmp_path / "performance.json", at="2026-11-02")
    heading = "## Cost of a profile on a graphics card\n\n"
    assert f"{heading}*Not run*: the machine" in (tmp_path / "performance.md").read_text()
    keep("gpu.overhead.cuda", 1.01, "", at_most=1.02, title="Ours on NVIDIA T4")
    keep.write(tmp_path / "performance.json", at="2026-11-02")
    text = (tmp_path / "performance.md").read_text()
    assert ("Not run" in text, f"{heading}| Result" in text) == (False, True)


def test_a_test_that_kept_nothing_writes_nothing(tmp_path: Path) -> None:
    Recorder(COMMAND).write(tmp_path / "performance.json", at="2026-11-02")
    assert list(tmp_path.iterdir()) == []


def test_a_part_without_a_heading_is_no_part_of_the_page(tmp_path: Path) -> None:
    keep = Recorder(COMMAND)
    keep("weather.rain", 1, "mm", title="Rain")
    with pytest.raises(KeyError, match="weather"):
        keep.write(tmp_path / "performance.json", at="2026-11-02")


def test_every_part_of_the_page_has_figures_with_their_machine_and_command() -> None:
    kept = json.loads(FIGURES.read_text())
    assert {name.partition(".")[0] for name in kept} <= set(PARTS)
    assert all(
        figure["machine"] and figure["command"].startswith("python -m pytest 'tests/") for figure in kept.values()
    )


def parts_kept(path: Path) -> set[str]:
    """The first word of every figure that a file of performance tests keeps."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args]
    kept = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "keep"]
    first = [name.values[0] if isinstance(name, ast.JoinedStr) else name for name in kept]
    assert all(isinstance(name, ast.Constant) for name in first), path
    return {name.value.partition(".")[0] for name in first}


def test_every_figure_that_is_measured_has_a_heading() -> None:
    folder = FIGURES.parents[2] / "tests" / "performance"
    parts = {part for path in (*folder.glob("test_*.py"), folder / "conftest.py") for part in parts_kept(path)}
    assert {"bills", "policy", "costs"} <= parts
    assert parts == set(PARTS)
