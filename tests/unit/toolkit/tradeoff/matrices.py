"""Decision matrices as tests need them: three criteria, options by their estimates."""

from pathlib import Path

import yaml

from weighbridge.core.metrics.basis import Basis
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Estimate
from weighbridge.tradeoff.matrix.decision_matrix import Criterion, Matrix, MatrixCell, MatrixOption
from weighbridge.tradeoff.matrix.weights import Weights, direct

COST = Criterion(id="cost", name="Cost at scale", unit="USD/year", direction=AxisDirection.MIN)
LATENCY = Criterion(id="latency", name="Latency", unit="ms", direction=AxisDirection.MIN, gate=200)
ACCURACY = Criterion(id="accuracy", name="Accuracy", unit="1", direction=AxisDirection.MAX)
CRITERIA = (COST, LATENCY, ACCURACY)
HALF = {"cost": 0.5, "latency": 0.25, "accuracy": 0.25}
ESTIMATES = {"managed": (630_000, 95, 0.78), "open": (190_000, 35, 0.81), "light": (140_000, 12, 0.72)}


def cell(value, half: float | None = None, *, basis: Basis = Basis.MEASURED, unit: str = "1") -> MatrixCell:
    """An estimate `value ± half` at 90 %, or without an interval."""
    bounds = (None, None, None) if half is None else (value - half, value + half, 0.9)
    return MatrixCell(Estimate(float(value), *bounds, 1, unit), basis, "a test")


def option(name: str, estimates, **rest) -> MatrixOption:
    """An option; each estimate is a number, or a pair of value and half width, in the order of the criteria."""
    pairs = [given if isinstance(given, tuple) else (given,) for given in estimates]
    return MatrixOption(
        name, {each.id: cell(*pair, unit=each.unit) for each, pair in zip(CRITERIA, pairs, strict=False)}, **rest
    )


def matrix(options=None, *, criteria=CRITERIA, weights: Weights | None = None, **rest) -> Matrix:
    """A matrix of the options above, or of others by name."""
    given = ESTIMATES if options is None else options
    made = tuple(each if isinstance(each, MatrixOption) else option(each, given[each]) for each in given)
    return Matrix(title="Which detector", criteria=criteria, options=made, weights=weights or direct(HALF), **rest)


def document(**changes):
    """The same as its file, with other keys."""
    estimates = {
        name: dict(zip(("cost", "latency", "accuracy"), values, strict=True)) for name, values in ESTIMATES.items()
    }
    estimates["open"]["latency"] = {
        "value": 35,
        "lower": 33,
        "upper": 38,
        "confidence": 0.95,
        "n": 9_000,
        "basis": "measured",
        "source": "load test",
    }
    return {
        "apiVersion": "weighbridge/v1",
        "kind": "DecisionMatrix",
        "title": "Which detector",
        "criteria": [
            {"id": "cost", "name": "Cost at scale", "unit": "USD/year", "better": "lower"},
            {"id": "latency", "unit": "ms", "better": "lower", "gate": 200},
            {"id": "accuracy", "unit": "1", "better": "higher", "worst": 0.5, "best": 1},
        ],
        "weights": {"direct": {"cost": 50, "latency": 25, "accuracy": 25}},
        "options": [{"name": name, "values": each} for name, each in estimates.items()],
        **changes,
    }


def matrix_file(path: Path) -> Path:
    """The file of a matrix in which one option is out beforehand."""
    given = document()
    given["options"].append({"name": "other vendor", "excluded": "No data processing agreement.", "values": {}})
    path.write_text(yaml.safe_dump(given, sort_keys=False))
    return path
