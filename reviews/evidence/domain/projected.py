"""Projected metric values: the results of a cost projection for one option, as metrics of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from benchmarking.projections.domain.projection_table import price_use
from governance.bills.domain.variance.calibration import Widening, widen_by
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.core.metrics.units import share_text
from weighbridge.core.metrics.values import number_text
from weighbridge.costs.changes import item_of

# Eight of ten draws of a projection lie between its P10 and P90.
CONFIDENCE = Decimal("0.8")
# Bills are compared with these metrics, so past months only justify widening these.
WIDENED = ("inference_cost_1y_usd", "total_cost_1y_usd")
PRICES_MAX = 8


@dataclass(frozen=True, kw_only=True)
class ProjectedValue:
    """A projected metric: the median of the draws, P10 and P90 as bounds, and P80. `note` describes a widening."""

    name: str
    unit: str
    value: Decimal
    lower: Decimal
    upper: Decimal
    p80: Decimal
    n: int
    note: str = ""


def check_option(document: Mapping[str, Any], *, option: str) -> None:
    """Raise Invalid unless the projection has this option."""
    ids = option_ids(document)
    if option not in ids:
        raise Invalid(f"The projection has no option {option!r}; it has {', '.join(ids)}.", field="option")


def only_option(document: Mapping[str, Any]) -> str:
    """The only option of a projection. Raises Invalid with the choices if there are several."""
    ids = option_ids(document)
    if len(ids) > 1:
        raise Invalid(f"Choose the option of this request: {', '.join(ids)}.", field="option")
    return ids[0]


def option_ids(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the options of a projection, in its order."""
    return tuple(row["id"] for row in document["options"])


def projected_metric_values(document: Mapping[str, Any], *, option: str) -> tuple[ProjectedValue, ...]:
    """Every metric of the catalog that the projection has for the option.

    Raises Invalid for an unknown option, and if no number of replicas serves the load in more than one of ten draws.
    """
    check_option(document, option=option)
    metric_values = next(row["metrics"] for row in document["options"] if row["id"] == option)
    return tuple(
        _metric_value(name, metric_values[name], draws=document["draws"]) for name in STANDARD if name in metric_values
    )


def widened_metric_values(
    metric_values: tuple[ProjectedValue, ...], *, widening: Widening
) -> tuple[ProjectedValue, ...]:
    """The metric values with widened ranges of the yearly costs; `note` has the factor and the projected range."""
    return tuple(_widened(value, widening) if value.name in WIDENED else value for value in metric_values)


def _widened(metric_value: ProjectedValue, widening: Widening) -> ProjectedValue:
    low, p80, high = (
        widen_by(widening.factor, median=metric_value.value, quantile=quantile)
        for quantile in (metric_value.lower, metric_value.p80, metric_value.upper)
    )
    note = (
        f"range {number_text(widening.factor)} times as wide as projected ({number_text(metric_value.lower)} to "
        f"{number_text(metric_value.upper)}), by {widening.cases} billed months of earlier projections"
    )
    return replace(metric_value, lower=low, p80=p80, upper=high, note=note)


def _metric_value(name: str, quantiles: Mapping[str, Any], *, draws: int) -> ProjectedValue:
    if any(quantiles[level] is None for level in ("p10", "p50", "p80", "p90")):
        raise Invalid(
            f"No number of replicas serves the load in {share_text(quantiles['unserved_probability'])} of the draws, "
            f"so {name} has no upper bound. Raise the latency limit, or project a faster model.",
            field="projection",
            code="load_unserved",
        )
    return ProjectedValue(
        name=name,
        unit=quantiles["unit"],
        value=Decimal(quantiles["p50"]),
        lower=Decimal(quantiles["p10"]),
        upper=Decimal(quantiles["p90"]),
        p80=Decimal(quantiles["p80"]),
        n=draws,
    )


def price_words(document: Mapping[str, Any]) -> str:
    """Each price of a projection once, oldest first: `aws/us-east-1/g5.xlarge of 2026-01-15`; "" without prices.

    A price that has no SKU is named by its use: `Own servers, training of 2026-01-15`.
    """
    titles = [option["title"] for option in document.get("options", ())]
    found = document.get("prices", ())
    prices = sorted({(price["as_of"], price_use(item_of(price), titles=titles)) for price in found})
    texts = [f"{what} of {as_of}" for as_of, what in prices[:PRICES_MAX]]
    return "; ".join(texts) + (f" and {len(prices) - PRICES_MAX} more" if len(prices) > PRICES_MAX else "")
