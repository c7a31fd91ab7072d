"""The matrix's file and command: every key read, every fault named by its path, exit codes as everywhere."""

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.tradeoff.matrices import document, matrix_file
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.matrix.file import matrix_from, read_matrix
from weighbridge.tradeoff.matrix.weights import WeightMethod
from weighbridge.tradeoff.sheets import printing

PAIRS = [("cost", "latency", 2), ("cost", "accuracy", 2), ("latency", "accuracy", 1)]


def test_every_key_is_read() -> None:
    found = matrix_from(document(question="Which?"))
    cost, latency, accuracy = found.criteria
    assert (cost.name, latency.name) == ("Cost at scale", "latency")
    assert (latency.gate, latency.direction, accuracy.scale) == (200, AxisDirection.MIN, (0.5, 1))
    assert found.weights.values == {"cost": 0.5, "latency": 0.25, "accuracy": 0.25}
    declared, measured = found.options[0].cells["latency"], found.options[1].cells["latency"]
    assert (declared.estimate.value, declared.estimate.lower, declared.basis) == (95, None, Basis.DECLARED)
    assert (measured.estimate.lower, measured.estimate.upper, measured.estimate.confidence) == (33, 38, 0.95)
    assert (measured.estimate.n, measured.basis, measured.source) == (9_000, Basis.MEASURED, "load test")


def test_bounds_hold_at_nine_in_ten_unless_written() -> None:
    given = document()
    given["options"][0]["values"]["cost"] = {"value": 2, "lower": 1, "upper": 3}
    assert matrix_from(given).options[0].cells["cost"].estimate.confidence == 0.9


@pytest.mark.parametrize("method", [WeightMethod.SWING, WeightMethod.AHP])
def test_each_way_to_weigh_is_read(method) -> None:
    judged = [dict(zip(("more", "than", "times"), pair, strict=True)) for pair in PAIRS]
    given = {"swing": {"cost": 100, "latency": 50, "accuracy": 50}, "ahp": judged}
    found = matrix_from(document(weights={method.value: given[method]})).weights
    assert found.method is method
    assert found.values == {"cost": pytest.approx(0.5), "latency": pytest.approx(0.25), "accuracy": pytest.approx(0.25)}
    assert matrix_from(matrix_from(document(weights={method.value: given[method]})).as_document()).weights == found


def changed(path: str, value) -> dict:
    given = document()
    *way, last = path.split(".")
    place = given
    for key in way:
        place = place[int(key) if key.isdigit() else key]
    place[int(last) if last.isdigit() else last] = value
    return given


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("kind", "CostSpec", "kind must be DecisionMatrix"),
        ("color", 1, "color is unknown"),
        ("criteria.0.better", "cheaper", "criteria[0].better must be lower or higher"),
        ("criteria.0.unit", None, "criteria[0].unit is missing"),
        ("criteria.0.worst", 5, "criteria[0].worst and best define the scale together"),
        ("criteria.1.gate", "fast", "criteria[1].gate must be a number"),
        ("weights", {}, "weights.direct or swing or ahp: give exactly one"),
        (
            "weights",
            {"direct": {}, "swing": {"cost": 100, "latency": 1, "accuracy": 1}, "ahp": [1]},
            "give exactly one",
        ),
        ("weights.direct.cost", None, "weights.direct.cost is missing"),
        ("weights.direct.speed", 1, "weights.direct.speed is unknown"),
        ("options.0.values.cost", "much", "options[0].values.cost must be a number, or a mapping with value"),
        ("options.0.values.cost", {"value": 1, "lower": 0.5}, "options[0].values.cost.upper is missing"),
        (
            "options.0.values.cost",
            {"value": 9, "lower": 1, "upper": 3},
            "options[0].values.cost.value does not fit its bounds",
        ),
        (
            "options.0.values.cost",
            {"value": 9, "confidence": 0.9},
            "options[0].values.cost.confidence needs lower and upper",
        ),
        (
            "options.0.values.cost",
            {"value": 9, "basis": "guessed"},
            "options[0].values.cost.basis must be one of",
        ),
        ("options.0.values.cost", {"value": 9, "unit": "EUR"}, "options[0].values.cost.unit is unknown"),
        ("options.0.values.speed", 1, "options[0].values.speed is unknown"),
        ("options.1.values.accuracy", None, "options[1].values.accuracy is missing"),
    ],
)
def test_a_fault_is_named_by_its_path(path, value, said) -> None:
    with pytest.raises(Invalid) as refused:
        matrix_from(changed(path, value))
    assert said in refused.value.reason


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read_matrix(tmp_path / "absent.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(Invalid, match=r"broken\.yaml is not valid YAML"):
        read_matrix(tmp_path / "broken.yaml")


def test_the_command_writes_prints_and_ends_with_yes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(printing.shutil, "which", lambda *_, **__: None)
    file = matrix_file(tmp_path / "matrix.yaml")
    done = weighbridge("decide", file, "--json", tmp_path / "d.json", "--out", tmp_path / "out", "--draws", 500)
    assert done.exit_code == 0
    assert "light" in done.stdout
    assert "other vendor: No data processing agreement." in done.stdout
    assert "No PDF: neither weasyprint" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"decision.html", "decision.md", "matrix.svg"}
    written = json.loads((tmp_path / "d.json").read_text())
    assert (written["schema"], written["winner"], written["draws"]) == ("weighbridge.matrix/1", "light", 500)


def test_the_command_says_no_where_nobody_passes_and_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "matrix.yaml"
    file.write_text(yaml.safe_dump(changed("criteria.1.gate", 1)))
    done = weighbridge("decide", file, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "")
    file.write_text(yaml.safe_dump(changed("criteria.1.gate", "fast")))
    done = weighbridge("decide", file)
    assert (done.exit_code, done.stderr) == (2, "weighbridge: criteria[1].gate must be a number.\n")
