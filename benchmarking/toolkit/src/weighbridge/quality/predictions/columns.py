"""Columns of predictions: what each is for, by its name or as a person maps it, and the checks of their values."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

# The role of a column, and the names under which it is found if nobody maps it. Roles without names must be mapped.
ROLES: Mapping[str, tuple[str, ...]] = {
    "truth": ("truth", "y", "y_true", "target"),
    "prediction": ("prediction", "y_pred", "answers"),
    "scores": ("scores", "score", "probability", "y_score"),
    "query": ("query", "query_id"),
    "relevance": ("relevance",),
    "treatment": ("treatment",),
    "scale": ("scale",),
    "boxes": ("boxes",),
    "labels": ("labels",),
    "predicted_boxes": ("predicted_boxes",),
    "predicted_labels": ("predicted_labels",),
    "predicted_scores": ("predicted_scores",),
    "group": (),
    "weight": (),
    "id": (),
}
NAMED = 5
MISSING = ("nan", "NaT", "<NA>")


@dataclasses.dataclass(frozen=True)
class Predictions:
    """The columns of a file, each with one entry per row, and the columns that a person maps to roles."""

    columns: Mapping[str, NDArray[Any]]
    mapped: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise Invalid without rows, for columns of unequal lengths, and for roles or columns that do not exist."""
        counts = {name: len(column) for name, column in self.columns.items()}
        if len(set(counts.values())) > 1:
            words = ", ".join(f"{name} {count:,}" for name, count in counts.items())
            raise _refused(f"All columns need the same number of rows, but they have: {words}.", "predictions")
        if not counts or not len(self):
            raise Invalid("The predictions have no rows.", code="predictions_empty", field="predictions")
        for role, names in self.mapped.items():
            if role not in ROLES:
                raise _refused(f"There is no role {role!r}; the roles are {', '.join(ROLES)}.", "columns")
            for name in names:
                self.column(name, field=role)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str, *, field: str) -> NDArray[Any]:
        """Return a column; raise Invalid if there is none."""
        if name not in self.columns:
            raise _refused(f"There is no column {name!r}; the columns are {', '.join(self.columns)}.", field)
        return self.columns[name]

    def names(self, role: str) -> tuple[str, ...]:
        """Return the columns of a role, empty without any; raise Invalid if several have one of its names."""
        if role in self.mapped:
            return tuple(self.mapped[role])
        own = [name for name in ROLES[role] if name in self.columns]
        if len(own) > 1:
            raise _refused(f"The columns {' and '.join(own)} may both be the {role}; name one {option(role)}.", role)
        return tuple(own)

    def has(self, role: str) -> bool:
        """Whether there is a column of this role."""
        return bool(self.names(role))

    def values(self, role: str) -> NDArray[Any]:
        """Return the column of a role without a missing value, or several as (rows, columns); raise Invalid."""
        names = self.names(role)
        if not names:
            default = f", or call it {ROLES[role][0]}" if ROLES[role] else ""
            text = (
                f"There is no {role} in the columns {', '.join(self.columns)}; name its column {option(role)}{default}."
            )
            raise _refused(text, role)
        for name in names:
            _check_filled(name, self.columns[name], role)
        columns = [self.columns[name] for name in names]
        return columns[0] if len(columns) == 1 else np.column_stack(columns)

    def numbers(self, role: str) -> NDArray[np.float64]:
        """Return the column of a role as numbers; raise Invalid for anything else, NaN and infinite numbers."""
        values = self.values(role)
        if values.dtype.kind not in "biuf" or values.ndim > 1 + (len(self.names(role)) > 1):
            raise _refused(f"The column {self._label(role)} must have one number in each row.", role)
        numbers = values.astype(np.float64)
        odd = np.asarray(~np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1))
        if odd.any():
            raise _refused(f"The column {self._label(role)} has an infinite number in {rows_words(odd)}.", role)
        return numbers

    def texts(self, role: str) -> NDArray[Any]:
        """Return the column of a role as texts; raise Invalid for anything else."""
        values = self.values(role)
        if values.dtype.kind != "U" or values.ndim > 1:
            raise _refused(f"The column {self._label(role)} must have one text in each row.", role)
        return values

    def names_of(self, role: str) -> NDArray[Any]:
        """Return the column of a role as names that can be compared: numbers or texts; raise Invalid for lists."""
        values = self.values(role)
        if values.ndim > 1 or any(isinstance(value, list | tuple | np.ndarray | dict) for value in values.tolist()):
            raise _refused(f"The column {self._label(role)} must have one name or number in each row.", role)
        return values.astype(str) if values.dtype.kind == "O" else values

    def take(self, rows: NDArray[np.int64]) -> "Predictions":
        """Return the rows of these numbers."""
        return dataclasses.replace(self, columns={name: column[rows] for name, column in self.columns.items()})

    def _label(self, role: str) -> str:
        return ", ".join(self.names(role))


def option(role: str) -> str:
    """Return how a person maps a role."""
    return f"with --{role.replace('_', '-')}"


def rows_words(mask: NDArray[np.bool_]) -> str:
    """Return the numbers of the rows that a mask selects, from 1, the first of many."""
    rows = (np.flatnonzero(mask) + 1).tolist()
    listed = ", ".join(map(str, rows[:NAMED]))
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    return f"row{'s' if len(rows) > 1 else ''} {listed}{more}"


def is_missing(column: NDArray[Any]) -> NDArray[np.bool_]:
    """Return for each row whether it has no value: None or NaN, also inside a list."""
    if column.dtype.kind == "f":
        return np.asarray(np.isnan(column).reshape(len(column), -1).any(axis=1))
    if column.dtype.kind != "O":
        return np.zeros(len(column), dtype=np.bool_)
    return np.array([_lacks(value) for value in column], dtype=np.bool_)


def _lacks(value: Any) -> bool:
    if isinstance(value, list | tuple | np.ndarray):
        return any(map(_lacks, list(value)))
    # pandas has missing values of its own, which equal nothing and are neither true nor false.
    return value is None or (not isinstance(value, str) and str(value) in MISSING)


def _check_filled(name: str, column: NDArray[Any], role: str) -> None:
    missing = is_missing(column)
    if missing.any():
        text = f"The column {name} has no value in {rows_words(missing)}; fill it, or leave those rows out of the file."
        raise _refused(text, role)


def _refused(text: str, field: str) -> Invalid:
    return Invalid(text, code="predictions_columns", field=field)
