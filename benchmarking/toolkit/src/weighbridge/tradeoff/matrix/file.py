"""The file of a decision matrix: YAML or JSON of `kind: DecisionMatrix`, read strictly.

```yaml
apiVersion: weighbridge/v1
kind: DecisionMatrix
title: Which fraud detector
criteria:
  - {id: cost, name: Cost at scale, unit: USD/year, better: lower}
  - {id: latency, name: Latency, unit: ms, better: lower, gate: 200}
weights:
  swing: {cost: 100, latency: 60}
options:
  - name: managed
    values:
      cost: {value: 630000, lower: 560000, upper: 720000, basis: estimated, source: projection}
      latency: 95
  - name: own
    values: {cost: 41000, latency: {value: 12, lower: 11, upper: 14, confidence: 0.95, basis: measured}}
```

`weights` has one key: `direct`, `swing`, or `ahp` with a list of `{more, than, times}`. A value is a number (declared,
exact) or a mapping; its bounds hold at `confidence`, 0.9 unless written. `{result: profile.json, metric:
latency_p95_ms}` takes it from a result of `profile`, `score`, `load`, `cost` or `device` beside the file; the metric is
that of the criterion's id unless written. `worst` and `best` of a criterion fix its scale.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.documents import API_VERSION, Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.parsing.json_text import read_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Estimate
from weighbridge.tradeoff.joined import PROJECTION, joined
from weighbridge.tradeoff.matrix.decision_matrix import CONFIDENCE, KIND, Criterion, Matrix, MatrixCell, MatrixOption
from weighbridge.tradeoff.matrix.weights import Judgment, WeightMethod, Weights, ahp, direct, swing

BETTER = {"lower": AxisDirection.MIN, "higher": AxisDirection.MAX}


def read_matrix(path: Path) -> Matrix:
    """Read a file; raise Invalid if it is missing, not YAML, or malformed, with the path of the invalid key."""
    from weighbridge.core.parsing.yaml_text import read_yaml

    return matrix_from(read_yaml(path, missing="matrix_missing", code="matrix_unreadable"), folder=path.parent)


def matrix_from(document: object, *, folder: Path | None = None) -> Matrix:
    """Read a document in the format above; raise Invalid with the path of the invalid key.

    Results are read from `folder`; without it, as for a document of another person, they are refused.
    """
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    criteria = reader.items("criteria", _criterion)
    matrix = Matrix(
        title=reader.text("title"),
        question=reader.text("question", ""),
        criteria=criteria,
        weights=_weights(reader.mapping("weights"), criteria),
        options=reader.items("options", lambda each: _option(each, {known.id: known for known in criteria}, folder)),
    )
    reader.close()
    return matrix


def _criterion(reader: Reader) -> Criterion:
    name = reader.text("id")
    better = reader.text("better")
    if better not in BETTER:
        raise reader.fault("better", "must be lower or higher.")
    if reader.has("worst") != reader.has("best"):
        raise reader.fault("worst", "and best define the scale together; give both or neither.")
    scale = (float(reader.number("worst")), float(reader.number("best"))) if reader.has("worst") else None
    gate = float(reader.number("gate")) if reader.has("gate") else None
    return Criterion(
        id=name,
        name=reader.text("name", "") or name.replace("_", " "),
        unit=reader.text("unit"),
        direction=BETTER[better],
        gate=gate,
        scale=scale,
    )


def _weights(reader: Reader, criteria: tuple[Criterion, ...]) -> Weights:
    methods = [method for method in WeightMethod if reader.has(method.value)]
    if len(methods) != 1:
        raise reader.fault("direct", "or swing or ahp: give exactly one of the three under weights.")
    method, ids = methods[0], [each.id for each in criteria]
    if method is WeightMethod.AHP:
        found = ahp(ids, reader.items(method.value, _judgment))
    else:
        points = reader.mapping(method.value)
        given = {name: float(points.number(name)) for name in ids}
        points.close()
        found = direct(given) if method is WeightMethod.DIRECT else swing(given)
    reader.close()
    return found


def _judgment(reader: Reader) -> Judgment:
    return Judgment(reader.text("more"), reader.text("than"), float(reader.number("times")))


def _option(reader: Reader, criteria: dict[str, Criterion], folder: Path | None) -> MatrixOption:
    name, note, excluded = reader.text("name"), reader.text("note", ""), reader.text("excluded", "")
    estimates = reader.mapping("values")
    cells = {
        key: _of_result(estimates.mapping(key), name, criterion, folder)
        if _names_result(estimates, key)
        else _cell(estimates, key, criterion)
        for key, criterion in criteria.items()
    }
    estimates.close()
    return MatrixOption(name, {key: cell for key, cell in cells.items() if cell is not None}, excluded, note)


def _cell(estimates: Reader, key: str, criterion: Criterion) -> MatrixCell | None:
    if not estimates.has(key):
        estimates.mapping(key)  # a key without a value is valid and counts as absent
        return None
    if isinstance(estimates.plain(key), Mapping):
        return _with_bounds(estimates.mapping(key), criterion)
    try:
        value = float(estimates.number(key))
    except Invalid as refused:
        text = "must be a number, or a mapping with value, lower, upper, confidence, n, basis and source."
        raise estimates.fault(key, text) from refused
    return MatrixCell(Estimate(value, None, None, None, 1, criterion.unit), Basis.DECLARED)


def _names_result(estimates: Reader, key: str) -> bool:
    cell = estimates.plain(key) if estimates.has(key) else None
    return isinstance(cell, Mapping) and "result" in cell


def _of_result(reader: Reader, option: str, criterion: Criterion, folder: Path | None) -> MatrixCell:
    """Return the estimate of a result beside the file."""
    name, metric = reader.text("result"), reader.text("metric", "") or criterion.id
    reader.close()
    if folder is None:
        raise reader.fault("result", "names a file, which is read only for a matrix in a file of its own.")
    document = read_json(folder / name, missing="result_missing", limits=MEASUREMENT)
    if not isinstance(document, Mapping):
        raise reader.fault("result", f"is {name}, which is not a result.")
    found = joined([(option, document)]).candidates[0].metrics.get(metric)
    if found is None:
        raise reader.fault("metric", f"is {metric!r}, which {name} does not have.")
    if not _is_same_unit(found.unit, criterion.unit):
        raise reader.fault("metric", f"is given in {found.unit}, but the criterion {criterion.id} in {criterion.unit}.")
    is_projected = document.get("schema") == PROJECTION
    return MatrixCell(
        dataclasses.replace(found, unit=criterion.unit), Basis.ESTIMATED if is_projected else Basis.MEASURED, name
    )


def _is_same_unit(found: str, wanted: str) -> bool:
    """Whether a unit is the wanted one, or that one for a time (USD for USD/year); shares have no unit."""
    return found == wanted or wanted.startswith(f"{found}/") or {found, wanted} <= {"ratio", "1"}


def _with_bounds(reader: Reader, criterion: Criterion) -> MatrixCell:
    value = float(reader.number("value"))
    bounds: dict[str, Any] = {"lower": None, "upper": None, "confidence": None}
    if reader.has("lower") or reader.has("upper"):
        level = float(reader.number("confidence")) if reader.has("confidence") else CONFIDENCE
        bounds = {"lower": float(reader.number("lower")), "upper": float(reader.number("upper")), "confidence": level}
    elif reader.has("confidence"):
        raise reader.fault("confidence", "needs lower and upper.")
    n, basis = reader.whole("n", 1, at_least=1), reader.choice("basis", Basis, Basis.DECLARED)
    source = reader.text("source", "")
    reader.close()
    try:
        estimate = Estimate(value, **bounds, n=n, unit=criterion.unit)
    except Invalid as refused:
        raise reader.fault("value", f"does not fit its bounds: {refused.reason}") from refused
    return MatrixCell(estimate, basis, source)
