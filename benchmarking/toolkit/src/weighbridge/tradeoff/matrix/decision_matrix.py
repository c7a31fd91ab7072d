"""The decision matrix: options, criteria, and an estimate with its interval, basis and source in every cell.

In scope: the shapes, and what of them is refused. Not in scope: where weights come from (`matrix_weights`), how options
are scored (`matrix_scores`), how sure the choice is (`matrix_robustness`), and what is said of it (`matrix_words`).
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from weighbridge.core.documents import API_VERSION
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics import Basis
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
    """What options are weighed by: a name, a unit, the better direction, and the hard gate no option may miss.

    `scale` holds the worst and the best value that the normalization counts from, in the criterion's unit; without it
    those are the worst and the best of the options that pass the gates.
    """

    id: str
    name: str
    unit: str
    direction: AxisDirection
    gate: float | None = None
    scale: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Refuse a scale that does not lead from worse to better."""
        if self.scale is not None and (self.scale[1] - self.scale[0]) * self.sign <= 0:
            better = "below" if self.direction is AxisDirection.MIN else "above"
            raise Invalid(f"The best of {self.name} must lie {better} its worst.", code="matrix_scale", field="scale")

    @property
    def sign(self) -> int:
        """Return the factor that makes larger better."""
        return -1 if self.direction is AxisDirection.MIN else 1

    @property
    def limit(self) -> Requirement | None:
        """Return the gate as a limit, None without one."""
        return None if self.gate is None else Requirement(self.id, self.gate, self.direction)

    def with_unit(self, text: str) -> str:
        """Return an estimate's text with the unit after it."""
        return f"{text} {shown_unit(self.unit)}".rstrip()

    def gate_words(self) -> str:
        """Return `at most 200 ms`; empty without a gate."""
        if self.gate is None:
            return ""
        return self.with_unit(f"{'at most' if self.direction is AxisDirection.MIN else 'at least'} {self.gate:g}")


@dataclasses.dataclass(frozen=True)
class MatrixCell:
    """One estimate of one option, how it came to be, and where it stands written."""

    estimate: Estimate
    basis: Basis
    source: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return the cell as the file writes it."""
        estimate = self.estimate
        bounds = {key: getattr(estimate, key) for key in ("lower", "upper", "confidence") if estimate.lower is not None}
        return {"value": estimate.value, **bounds, "n": estimate.n, "basis": self.basis.value, "source": self.source}


@dataclasses.dataclass(frozen=True)
class MatrixOption:
    """One way to go, its cells by criterion, and why it was left out beforehand (empty where it was not)."""

    name: str
    cells: Mapping[str, MatrixCell]
    excluded: str = ""
    note: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Matrix:
    """Options by criteria under weights, which sum to 1; `digest`s and results follow from this alone."""

    title: str
    criteria: tuple[Criterion, ...]
    options: tuple[MatrixOption, ...]
    weights: Weights
    question: str = ""

    def __post_init__(self) -> None:
        """Refuse names used twice, fewer than two options, empty cells, and weights of other criteria."""
        _check_names([each.id for each in self.criteria], "criteria")
        _check_names([each.name for each in self.options], "options")
        if not self.criteria:
            raise Invalid("Name at least one criterion.", code="matrix_criteria", field="criteria")
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
        """Return the criteria's ids in order."""
        return tuple(each.id for each in self.criteria)

    @property
    def judged(self) -> tuple[MatrixOption, ...]:
        """Return the options that nobody left out beforehand."""
        return tuple(option for option in self.options if not option.excluded)

    def as_document(self) -> dict[str, Any]:
        """Return the matrix as its file writes it."""
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
        "better": _better(criterion),
    }
    if criterion.gate is not None:
        found["gate"] = criterion.gate
    if criterion.scale is not None:
        found["worst"], found["best"] = criterion.scale
    return found


def _better(criterion: Criterion) -> str:
    return "lower" if criterion.direction is AxisDirection.MIN else "higher"


def _check_names(names: list[str], field: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(
            f"{twice[0]!r} stands twice among the {field}; give each its own name.", code="matrix_names", field=field
        )


def _check_cells(option: MatrixOption, ids: tuple[str, ...], field: str) -> None:
    for name in ids:
        if name not in option.cells:
            text = (
                f"{field}.{name} is missing: {option.name} needs an estimate, estimated with its range if it was not "
                "measured, or a reason under `excluded`."
            )
            raise Invalid(text, code="matrix_cells", field=f"{field}.{name}")
    unknown = [name for name in option.cells if name not in ids]
    if unknown:
        text = f"{field}.{unknown[0]} belongs to no criterion; known are {_listed(ids)}."
        raise Invalid(text, code="matrix_cells", field=f"{field}.{unknown[0]}")


def _listed(names: Mapping[str, Any] | tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
