"""The two arms of an experiment: their units, and the moments of the outcome, from counts or from a table of units."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.predictions.columns import NAMED, Predictions, is_missing, rows_words

# Names of arms that tell which one is the control, in lower case.
CONTROLS, TREATMENTS = ("control", "a", "0", "false"), ("treatment", "b", "1", "true")
MIN_UNITS = 2
# A covariate that tells the outcome this well was measured with it, and would take the effect away.
SAME = 0.999


@dataclasses.dataclass(frozen=True)
class Arm:
    """Units of an arm, and the mean and the variance of their outcomes. `total` is the sum of the outcomes.

    `largest` is the share of the variance that a single unit makes, 0 if it is not known.
    """

    n: int
    mean: float
    variance: float
    largest: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the outcomes."""
        return self.n * self.mean


@dataclasses.dataclass(frozen=True)
class Arms:
    """Control and treatment; `is_share` says that outcomes are 0 or 1, `notes` what was done to them.

    `covariate_p` is the p-value of equal covariates in both arms, which the experiment cannot have changed.
    """

    control: Arm
    treatment: Arm
    is_share: bool
    notes: tuple[str, ...] = ()
    covariate_p: float | None = None

    def __post_init__(self) -> None:
        """Raise Invalid for an arm with fewer than two units, which has no variance."""
        for name in ("control", "treatment"):
            if getattr(self, name).n < MIN_UNITS:
                text = f"The {name} needs at least {MIN_UNITS} units."
                raise Invalid(text, code="experiment_units", field=name)

    @property
    def n(self) -> int:
        """The units of both arms."""
        return self.control.n + self.treatment.n


def arms_of_counts(control: str | Sequence[int], treatment: str | Sequence[int]) -> Arms:
    """Return arms from `successes/units`; raise Invalid for anything else."""
    return Arms(_counted(control, "control"), _counted(treatment, "treatment"), is_share=True)


def _counted(given: str | Sequence[int], name: str) -> Arm:
    parts: Sequence[Any] = given.split("/") if isinstance(given, str) else list(given)
    try:
        hits, units = (int(str(part).strip().replace(",", "")) for part in parts)
    except ValueError as error:
        text = f"--{name} takes successes/units, like 1000/20000, not {given!r}."
        raise Invalid(text, code="experiment_counts", field=name) from error
    if not 0 <= hits <= units:
        text = f"The {name} has {hits:,} successes of {units:,} units; successes are between 0 and the units."
        raise Invalid(text, code="experiment_counts", field=name)
    share = hits / max(units, 1)
    return Arm(units, share, share * (1 - share) * units / max(units - 1, 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnitColumns:
    """The columns of a table of units, the arm that is the control, and whether outcomes of a unit are added up."""

    unit: str = "unit"
    arm: str = "arm"
    outcome: str = "outcome"
    covariate: str = ""
    control_arm: str = ""
    sums_outcomes: bool = False


def arms_of_units(table: Predictions, columns: UnitColumns) -> Arms:
    """Return arms from one row for each unit; raise Invalid for missing values, repeated units, and other arms.

    With a covariate from before the experiment, the outcome is adjusted for it (CUPED, Deng and others 2013, WSDM), so
    that its variance falls by the squared correlation.
    """
    units, arms = (_filled(table, name, field) for name, field in ((columns.unit, "unit"), (columns.arm, "arm")))
    outcome = _numbers(table, columns.outcome, "outcome")
    is_treated = _treated(arms, columns.control_arm)
    covariate = _numbers(table, columns.covariate, "covariate") if columns.covariate else None
    first, of_row = np.unique(units, return_index=True, return_inverse=True)[1:]
    notes: tuple[str, ...] = ()
    _check_one_arm(units, is_treated, of_row)
    if len(first) < len(units):
        if not columns.sums_outcomes:
            raise _repeated(units, of_row)
        outcome = np.bincount(of_row, weights=outcome).astype(np.float64)
        is_treated = is_treated[first]
        covariate = None if covariate is None else _of_units(covariate, first, of_row)
        notes = (f"The outcomes of {len(units):,} rows were added up for {len(first):,} units.",)
    if covariate is not None:
        outcome, note = _adjusted(outcome, covariate)
        notes += (note,)
    is_share = covariate is None and bool(np.isin(outcome, (0, 1)).all())
    sides = (_arm(outcome[~is_treated]), _arm(outcome[is_treated]))
    p_value = None if covariate is None else _balance_p(covariate[~is_treated], covariate[is_treated])
    return Arms(*sides, is_share=is_share, notes=notes, covariate_p=p_value)


def _arm(outcomes: NDArray[np.float64]) -> Arm:
    if len(outcomes) < MIN_UNITS:
        return Arm(len(outcomes), float(outcomes.mean()) if len(outcomes) else math.nan, math.nan)
    squares = (outcomes - outcomes.mean()) ** 2
    largest = float(squares.max() / squares.sum()) if squares.any() else 0.0
    return Arm(len(outcomes), float(outcomes.mean()), float(outcomes.var(ddof=1)), largest)


def _balance_p(control: NDArray[np.float64], treatment: NDArray[np.float64]) -> float:
    """Return the p-value of equal means of a covariate in both arms, by Welch's test."""
    from scipy.stats import ttest_ind

    if min(len(control), len(treatment)) < MIN_UNITS:
        return 1.0
    if not control.std() + treatment.std():
        return float(control.mean() == treatment.mean())
    return float(ttest_ind(control, treatment, equal_var=False).pvalue)


def _of_units(
    covariate: NDArray[np.float64], first: NDArray[np.int64], of_row: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the covariate of each unit; raise Invalid if it differs between the rows of one."""
    of_unit = covariate[first]
    if not np.array_equal(of_unit[of_row], covariate):
        text = (
            "The covariate differs between the rows of a unit; it must be known before the experiment, once for each."
        )
        raise Invalid(text, code="experiment_columns", field="covariate")
    return of_unit


def _filled(table: Predictions, name: str, field: str) -> NDArray[Any]:
    column = table.column(name, field=field)
    missing = is_missing(column)
    if missing.any():
        hint = "; state 0 for a unit without an outcome" if field == "outcome" else ""
        text = f"The column {name} has no value in {rows_words(missing)}{hint}."
        raise Invalid(text, code="experiment_columns", field=field)
    if column.ndim > 1 or any(isinstance(value, list | dict) for value in column.tolist()):
        raise Invalid(f"The column {name} must have one value in each row.", code="experiment_columns", field=field)
    return column.astype(str) if column.dtype.kind == "O" else column


def _numbers(table: Predictions, name: str, field: str) -> NDArray[np.float64]:
    column = _filled(table, name, field)
    if column.dtype.kind not in "biuf" or not np.isfinite(column).all():
        raise Invalid(
            f"The column {name} must have one finite number in each row.", code="experiment_columns", field=field
        )
    return column.astype(np.float64)


def _treated(arms: NDArray[Any], control_arm: str) -> NDArray[np.bool_]:
    """Return for each row whether it is of the treatment; raise Invalid unless there are a control and another arm."""
    names = [str(name) for name in np.unique(arms)]
    listed = ", ".join(names)
    if len(names) != 2:
        raise Invalid(
            f"An experiment has two arms, but there are {len(names)}: {listed}.", code="experiment_arms", field="arm"
        )
    known = [name for name in names if name.lower() in CONTROLS]
    others = [name for name in names if name.lower() in TREATMENTS]
    if control_arm not in names and (control_arm or len(known) != 1 or len(others) != 1):
        text = f"Name the control with --control-arm; the arms are {listed}."
        raise Invalid(text, code="experiment_arms", field="control_arm")
    return np.asarray(arms.astype(str) != (control_arm or known[0]))


def _check_one_arm(units: NDArray[Any], is_treated: NDArray[np.bool_], of_row: NDArray[np.int64]) -> None:
    treated, rows = np.bincount(of_row, weights=is_treated), np.bincount(of_row)
    both = (treated > 0) & (treated < rows)
    if both.any():
        names = _listed(units, of_row, both)
        text = f"{int(both.sum()):,} units are in both arms ({names}), so that the arms cannot be compared."
        raise Invalid(text, code="experiment_units", field="unit")


def _repeated(units: NDArray[Any], of_row: NDArray[np.int64]) -> Invalid:
    repeated = np.bincount(of_row) > 1
    text = (
        f"{int(repeated.sum()):,} units have several rows ({_listed(units, of_row, repeated)}). The rows of a unit are "
        "not independent: give one row for each unit, or add its outcomes up with --sum-outcomes."
    )
    return Invalid(text, code="experiment_units", field="unit")


def _listed(units: NDArray[Any], of_row: NDArray[np.int64], mask: NDArray[np.bool_]) -> str:
    names = sorted({str(name) for name in units[mask[of_row]]})
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _adjusted(outcome: NDArray[np.float64], covariate: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    centered = covariate - covariate.mean()
    spread = float(centered @ centered)
    if not spread:
        raise Invalid(
            "The covariate is the same for all units; leave it out.", code="experiment_columns", field="covariate"
        )
    slope = float(centered @ outcome) / spread
    correlation = float(np.corrcoef(covariate, outcome)[0, 1]) if outcome.std() else 0.0
    if abs(correlation) > SAME:
        text = f"The covariate has a correlation of {correlation:.4f} with the outcome: it is no value from before."
        raise Invalid(text, code="experiment_columns", field="covariate")
    return (
        outcome - slope * centered,
        f"Outcomes were adjusted for the covariate (CUPED), correlation {correlation:.2f}.",
    )
