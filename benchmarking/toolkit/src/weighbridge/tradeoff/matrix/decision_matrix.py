"""The decision matrix: options, criteria, and an estimate with interval, basis and source in each cell."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from weighbridge.core.documents import API_VERSION
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.candidates import Estimate
from weighbridge.tradeoff.charts.words import shown_unit
from weighbridge.tradeoff.matrix.weights import Weights
from weighbridge.tradeoff.requirements import Requirement

KIND = "DecisionMatrix"
LEAST_OPTIONS = 2
CONFIDENCE = 0.9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Criterion:
    """A criterion for options: name, unit, better direction, and an optional hard gate.

    `scale` has the worst and the best value for the normalization, in the criterion's unit. Without it, these are the
    worst and the best of the options that pass the gates.
    """

    id: str
    name: str
    unit: str
    direction: AxisDirection
    gate: float | None = None
    scale: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse a scale that does not go from worse to better."""
        if self.scale is not None and (self.scale[1] - self.scale[0]) * self.sign <= 0:
            better = "below" if self.direction is AxisDirection.MIN else "above"
            raise Invalid(
                f"The best value of {self.name} must be {better} its worst.", code="matrix_scale", field="scale"
            )

    @property
    def sign(self) -> int:
        """Return the factor that makes larger better."""
        return -1 if self.direction is AxisDirection.MIN else 1

    @property
    def limit(self) -> Requirement | None:
        """Return the gate as a limit; None without a gate."""
        return None if self.gate is None else Requirement(self.id, self.gate, self.direction)

    def with_unit(self, text: str) -> str:
        """Return the text of an estimate with its unit."""
        return f"{text} {shown_unit(self.unit)}".rstrip()

    def gate_words(self) -> str:
        """Return `at most 200 ms`; empty without a gate."""
        if self.gate is None:
            return ""
        return self.with_unit(f"{'at most' if self.direction is AxisDirection.MIN else 'at least'} {self.gate:g}")


@dataclasses.dataclass(frozen=True)
class MatrixCell:
    """One estimate of one option, its basis and its source."""

    estimate: Estimate
    basis: Basis
    source: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return the cell in the format of the file."""
        estimate = self.estimate
        bounds = {key: getattr(estimate, key) for key in ("lower", "upper", "confidence") if estimate.lower is not None}
        return {"value": estimate.value, **bounds, "n": estimate.n, "basis": self.basis.value, "source": self.source}


@dataclasses.dataclass(frozen=True)
class MatrixOption:
    """One option, its cells by criterion, and the reason for its exclusion (empty if it is not excluded)."""

    name: str
    cells: Mapping[str, MatrixCell]
    excluded: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matrix:
    """Options by criteria with weights, which sum to 1. Digests and results depend on nothing else."""

    title: str
    criteria: tuple[Criterion, ...]
    options: tuple[MatrixOption, ...]
    weights: Weights
    question: str = ""

    def __post_init__(self) -> None:
        """Refuse duplicate names, fewer than two options, empty cells, and weights for other criteria."""
        _check_names([each.id for each in self.criteria], "criteria")
        _check_names([each.name for each in self.options], "options")
        if not self.criteria:
            raise Invalid("Give at least one criterion.", code="matrix_criteria", field="criteria")
        if len(self.options) < LEAST_OPTIONS:
            text = f"A choice needs at least {LEAST_OPTIONS} options; this has {len(self.options)}."
            raise Invalid(text, code="matrix_options", field="options")
        if set(self.weights.values) != {each.id for each in self.criteria}:
            text = f"Weights are given for {_listed(self.weights.values)}, the criteria are {_listed(self.ids)}."
            raise Invalid(text, code="matrix_weights", field="weights")
        for index, option in enumerate(self.options):
            if not option.excluded:
                _check_cells(option, self.ids, f"options[{index}].values")

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the IDs of the criteria in order."""
        return tuple(each.id for each in self.criteria)

    @property
    def judged(self) -> tuple[MatrixOption, ...]:
        """Return the options that are not excluded."""
        return tuple(option for option in self.options if not option.excluded)

    def cells_of(self, name: str) -> Mapping[str, MatrixCell]:
        """Return the cells of an option by its name."""
        return next(option.cells for option in self.options if option.name == name)

    def as_document(self) -> dict[str, Any]:
        """Return the matrix in the format of the file."""
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "title": self.title,
            "question": self.question,
            "criteria": [_criterion(each) for each in self.criteria],
            "weights": self.weights.given,
            "options": [
                {
                    "name": each.name,
                    "note": each.note,
                    "excluded": each.excluded,
                    "values": {key: cell.as_document() for key, cell in each.cells.items()},
                }
                for each in self.options
            ],
        }


def _criterion(criterion: Criterion) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": criterion.id,
        "name": criterion.name,
        "unit": criterion.unit,
        "better": "lower" if criterion.direction is AxisDirection.MIN else "higher",
    }
    if criterion.gate is not None:
        found["gate"] = criterion.gate
    if criterion.scale is not None:
        found["worst"], found["best"] = criterion.scale
    return found


def _check_names(names: list[str], field: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(f"{twice[0]!r} occurs twice in {field}; names must be unique.", code="matrix_names", field=field)


def _check_cells(option: MatrixOption, ids: tuple[str, ...], field: str) -> None:
    for name in ids:
        if name not in option.cells:
            needs = "an estimate, with a range if it was not measured, or a reason under `excluded`"
            text = f"{field}.{name} is missing: {option.name} needs {needs}."
            raise Invalid(text, code="matrix_cells", field=f"{field}.{name}")
    unknown = [name for name in option.cells if name not in ids]
    if unknown:
        text = f"{field}.{unknown[0]} is not a criterion; the criteria are {_listed(ids)}."
        raise Invalid(text, code="matrix_cells", field=f"{field}.{unknown[0]}")


def _listed(names: Mapping[str, Any] | tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
