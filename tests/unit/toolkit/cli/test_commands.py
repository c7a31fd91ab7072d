"""`weighbridge recommend`, `pareto` and `learning-curve`: what they print and write, and their exit codes."""

import json
from pathlib import Path

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.tradeoff.builders import candidate, candidates
from tests.unit.toolkit.tradeoff.test_charts import load_result
from tests.unit.toolkit.tradeoff.test_learning_curve import forest
from weighbridge.api.choosing import requirements_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "candidates.json"
    choice = candidates(
        candidate("big", accuracy=(0.90, 0.006), latency_p95_ms=(8, 0.2), model_size_mb=9),
        candidate("quick", accuracy=(0.87, 0.006), latency_p95_ms=(1, 0.1), model_size_mb=2.5),
        candidate("poor", accuracy=(0.86, 0.001), latency_p95_ms=(2, 0.1), model_size_mb=2.6),
        candidate("unmeasured", accuracy=0.5),
    )
    path.write_text(json.dumps(choice.as_document()))
    return path


def test_a_recommendation_from_file_to_page(file: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("weighbridge.tradeoff.sheets.printing.shutil.which", lambda *_, **__: None)
    loads = [tmp_path / "1.json", tmp_path / "2.json"]
    for path, rate in zip(loads, (100, 900), strict=True):
        path.write_text(json.dumps(load_result(rate, p50=2)))
    done = weighbridge(
        "recommend",
        file,
        "--max-p95-ms",
        5,
        "--max-size-mb",
        4,
        "--min-accuracy",
        0.85,
        "--limit",
        "latency_p50_ms<=9",
        "--load",
        loads[0],
        "--load",
        loads[1],
        "--out",
        tmp_path / "out",
    )
    assert done.exit_code == 1  # nobody has a median latency
    done = weighbridge(
        "recommend",
        file,
        "--max-p95-ms",
        5,
        "--max-size-mb",
        4,
        "--min-accuracy",
        0.85,
        "--load",
        loads[0],
        "--load",
        loads[1],
        "--out",
        tmp_path / "out",
    )
    assert done.exit_code == 0
    assert done.stdout.startswith("Take quick.\n- 2 of 4 candidates meet the limits")
    assert "No PDF: neither weasyprint" in done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {
        "recommendation.html",
        "recommendation.md",
        "accuracy-latency.svg",
        "accuracy-size.svg",
        "load-curve.svg",
    } == names


def test_a_recommendation_needs_no_folder(file: Path) -> None:
    done = weighbridge("recommend", file)
    assert (done.exit_code, done.stdout.startswith("Take big.")) == (0, True)


def test_a_page_with_a_pdf_says_nothing_on_standard_error(file: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("weighbridge.tradeoff.sheets.publishing.publish", lambda *_, **__: None)
    done = weighbridge("recommend", file, "--out", tmp_path / "out", "--json", tmp_path / "r.json", "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    written = json.loads((tmp_path / "r.json").read_text())
    assert (written["schema"], written["situation"], written["winner"]) == (
        "weighbridge.recommendation/1",
        "clear",
        "big",
    )
    assert written["headline"] == "Take big."
    assert (written["tied"], written["contenders"]) == ([], [])


def test_what_cannot_be_read_is_refused(file: Path, tmp_path: Path) -> None:
    for arguments in (
        ("recommend", tmp_path / "absent.json"),
        ("recommend", file, "--limit", "much"),
        ("pareto", file, "--axis", "joules"),
        ("pareto", file, "--chart", tmp_path / "chart.jpg"),
        ("learning-curve", tmp_path / "absent.csv"),
    ):
        done = weighbridge(*arguments)
        assert done.exit_code == 2
        assert done.stderr.startswith("weighbridge: ")


def test_options_become_limits() -> None:
    found = requirements_of(5, None, 0.85, ["parameters<=1e6"], "f1_macro", 0.02)
    assert [limit.words() for limit in found.limits] == [
        "p95 latency at most 5 ms",
        "accuracy at least 0.85",
        "parameters at most 1e+06",
    ]
    assert (found.quality, found.margin) == ("f1_macro", 0.02)


def test_the_frontier_is_printed_written_and_drawn(file: Path, tmp_path: Path) -> None:
    done = weighbridge("pareto", file, "--json", tmp_path / "p.json", "--chart", tmp_path / "p.png")
    assert done.exit_code == 0
    assert "left out: unmeasured has no latency_p95_ms" in done.stdout
    written = json.loads((tmp_path / "p.json").read_text())
    assert [standing["state"] for standing in written["standings"]] == ["frontier", "frontier", "dominated"]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_one_axis_is_enough_and_quiet_is_quiet(file: Path, tmp_path: Path) -> None:
    done = weighbridge("pareto", file, "--axis", "accuracy", "--chart", tmp_path / "p.svg", "--quiet")
    assert (done.exit_code, done.stdout) == (0, "")
    nobody = weighbridge("pareto", file, "--axis", "joules:min")
    assert (nobody.exit_code, nobody.stdout) == (2, "")
    assert "No candidate has all of joules; name other axes with --axis." in nobody.stderr


def test_a_chart_that_cannot_be_written_is_refused(file: Path, tmp_path: Path) -> None:
    done = weighbridge("pareto", file, "--chart", tmp_path / "no" / "such" / "folder.svg")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


def test_a_learning_curve_is_foretold(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    rows, errors = forest()
    points.write_text(
        "rows,accuracy\n" + "\n".join(f"{n},{1 - error:.4f}" for n, error in zip(rows, errors, strict=True))
    )
    done = weighbridge("learning-curve", points, "--json", tmp_path / "c.json", "--chart", tmp_path / "c.svg")
    assert done.exit_code == 0
    assert "With 60,000 rows, expect accuracy 0.8668" in done.stdout
    assert "Ceiling: not identifiable" in done.stdout
    assert json.loads((tmp_path / "c.json").read_text())["schema"] == "weighbridge.learning-curve/1"
    assert weighbridge("learning-curve", points, "--quiet").stdout == ""
    late = tmp_path / "late.csv"
    late.write_text("rows,error\n1000,0.50\n2000,0.49\n4000,0.48\n8000,0.46\n16000,0.20\n")
    done = weighbridge("learning-curve", late)
    assert (done.exit_code, done.stdout.startswith("No forecast: from 8,000 rows on")) == (1, True)
