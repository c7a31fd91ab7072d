"""Projected metric values: what a cost projection says of one option, as metrics of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from governance.bills.domain.variance.calibration import Widening, widen_by
from weighbridge.core.catalog import CATALOG
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics import number_words

# A projection's P10 and P90 hold eight draws of ten between them.
CONFIDENCE = Decimal("0.8")
# What bills are compared with, so what their past speaks of.
WIDENED = ("inference_cost_1y_usd", "total_cost_1y_usd")


@dataclass(frozen=True, kw_only=True)
class ProjectedValue:
    """A metric as projected: the middle of the draws, P10 and P90 as bounds, and the P80; `note` says what was done to
    them.
    """

    name: str
    unit: str
    value: Decimal
    lower: Decimal
    upper: Decimal
    p80: Decimal
    n: int
    note: str = ""


def check_option(document: Mapping[str, Any], *, option: str) -> None:
    """Raise Invalid unless the projection has such an option."""
    known = option_ids(document)
    if option not in known:
        raise Invalid(f"The projection has no option {option!r}; it has {', '.join(known)}.", field="option")


def only_option(document: Mapping[str, Any]) -> str:
    """The one option of a projection; Invalid names the choices where there are several."""
    known = option_ids(document)
    if len(known) > 1:
        raise Invalid(f"Say which option this request asks for: {', '.join(known)}.", field="option")
    return known[0]


def option_ids(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of a projection, in its order."""
    return tuple(each["id"] for each in document["options"])


def projected_metric_values(document: Mapping[str, Any], *, option: str) -> tuple[ProjectedValue, ...]:
    """Every metric of the catalog that the projection knows of the option.

    Raises Invalid for an unknown option, and for one whose load nothing serves in more than one draw of ten.
    """
    check_option(document, option=option)
    metric_values = next(each["metrics"] for each in document["options"] if each["id"] == option)
    return tuple(
        _metric_value(name, metric_values[name], draws=document["draws"]) for name in CATALOG if name in metric_values
    )


def widened_metric_values(
    metric_values: tuple[ProjectedValue, ...], *, widening: Widening
) -> tuple[ProjectedValue, ...]:
    """The metric values with the ranges of the yearly costs widened; each says by how much, and what was projected."""
    return tuple(_widened(each, widening) if each.name in WIDENED else each for each in metric_values)


def _widened(metric_value: ProjectedValue, widening: Widening) -> ProjectedValue:
    low, p80, high = (
        widen_by(widening.factor, middle=metric_value.value, quantile=each)
        for each in (metric_value.lower, metric_value.p80, metric_value.upper)
    )
    note = (
        f"range {number_words(widening.factor)} times as wide as projected ({number_words(metric_value.lower)} to "
        f"{number_words(metric_value.upper)}), by {widening.cases} billed months of earlier projections"
    )
    return replace(metric_value, lower=low, p80=p80, upper=high, note=note)


def _metric_value(name: str, said: Mapping[str, Any], *, draws: int) -> ProjectedValue:
    if any(said[level] is None for level in ("p10", "p50", "p80", "p90")):
        raise Invalid(
            f"No number of replicas serves the load in {said['unserved_probability']:.0%} of the draws, so {name} has "
            "no "
            "end. Raise the latency limit, or project a faster model.",
            field="projection",
            code="load_unserved",
        )
    return ProjectedValue(
        name=name,
        unit=said["unit"],
        value=Decimal(said["p50"]),
        lower=Decimal(said["p10"]),
        upper=Decimal(said["p90"]),
        p80=Decimal(said["p80"]),
        n=draws,
    )
