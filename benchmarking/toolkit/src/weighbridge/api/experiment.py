"""`experiment`: the change of a business metric between a control and a treatment."""

from collections.abc import Sequence
from typing import Any

from weighbridge.api.data import file_entry
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.experiment_table import experiment_parts
from weighbridge.core.errors import Invalid
from weighbridge.quality.experiment.arms import Arms, UnitColumns, arms_of_counts, arms_of_units
from weighbridge.quality.experiment.document import ExperimentSettings, experiment_document
from weighbridge.quality.predictions.reading import predictions_of

DEFAULTS, COLUMNS = ExperimentSettings(), UnitColumns()
Counts = str | Sequence[int]


def experiment(  # noqa: PLR0913 -- the options of the command line
    units: Any = None,
    *,
    control: Counts = "",
    treatment: Counts = "",
    unit: str = COLUMNS.unit,
    arm: str = COLUMNS.arm,
    outcome: str = COLUMNS.outcome,
    covariate: str = "",
    control_arm: str = "",
    sum_outcomes: bool = False,
    share: float = DEFAULTS.share,
    planned_units: int = DEFAULTS.planned_units,
    confidence: float = DEFAULTS.confidence,
    power: float = DEFAULTS.power,
    detect: float | None = None,
) -> Result:
    """Return the change of a business metric, absolute and relative, with an interval for any number of looks.

    Give the successes and units of both arms (`control="1000/20000"`, or a pair), or `units`: a table, a data frame or
    a mapping of columns with one row for each unit, in the columns `unit`, `arm` and `outcome`. Rows of one unit are
    refused, or added up with `sum_outcomes`. A `covariate` from before the experiment makes the interval narrower.

    The metric `business_kpi_delta` is the relative change (0.02 is two percent more); its interval holds however often
    somebody looks, if `planned_units` (of both arms) was set before the first look. `changes` also has the interval for
    a single look. `share` is the intended share of treated units: if the found one differs (chi-square, p < 0.001), the
    verdict is invalid and the change void. `next_test` has the relative change that these units detect with `power`,
    and the units of each arm that `detect` needs.

    The result is a `weighbridge.experiment/1` document. Raises Invalid for arms that cannot be compared.
    """
    columns = UnitColumns(
        unit=unit,
        arm=arm,
        outcome=outcome,
        covariate=covariate,
        control_arm=control_arm,
        sums_outcomes=sum_outcomes,
    )
    settings = ExperimentSettings(
        confidence=confidence, share=share, planned_units=planned_units, power=power, detect=detect
    )
    document = experiment_document(_arms(units, control, treatment, columns), settings) | {"units": file_entry(units)}
    return Result(document, tuple(metric_rows(document["metrics"])), lambda: experiment_parts(document))


def _arms(units: Any, control: Counts, treatment: Counts, columns: UnitColumns) -> Arms:
    counts = [bool(control), bool(treatment)]
    if units is not None and not any(counts):
        return arms_of_units(predictions_of(units, {}), columns)
    if units is None and all(counts):
        return arms_of_counts(control, treatment)
    text = "Give either a table of units, or the counts of both arms: --control 1000/20000 --treatment 1100/20100."
    raise Invalid(text, code="experiment_input", field="units")
