"""Read the cost projection of a packet from its current document."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from benchmarking.projections.domain.projection_table import Move, PriceRow, table_of
from reviews.evidence.queries.projections import ProjectionView
from reviews.packets.domain.packet_projection import FIRST_YEAR, OptionPart, OptionValue, ProjectionPart
from weighbridge.core.metrics.values import number_text

PRICES_MAX = 24


def projection_part(latest: ProjectionView | None) -> ProjectionPart | None:
    """The current projection; None if the request has none."""
    if latest is None:
        return None
    document = latest.document
    table = table_of(document)
    prices = table.prices[:PRICES_MAX]
    return ProjectionPart(
        number=latest.number,
        title=latest.title,
        digest=latest.digest,
        snapshot=document["snapshot"],
        origin=_origin(latest),
        requests_per_year=Decimal(str(document["load"]["requests_per_year"])),
        draws=document["draws"],
        seed=document["seed"],
        options=tuple(
            _option(option, latest.option, document["cheapest"][FIRST_YEAR]) for option in document["options"]
        ),
        changes=tuple(_change(move) for move in latest.moves),
        prices=tuple(map(_price, prices)),
        remarks=tuple(f"{each.option}, {each.kind}: {each.text}" for each in table.remarks),
    )


def _origin(view: ProjectionView) -> str:
    stated = f"Stated by {view.stated_by}."
    if view.run_id is not None:
        stated = f"Drawn anew with the service time that run {view.run_id} measured."
    if view.widened_by is None:
        return stated
    return (
        f"{stated} In the metric values, the ranges of its yearly costs are {number_text(view.widened_by)} times as "
        f"wide, based on {view.widened_on} billed months of earlier projections."
    )


def _option(option: Mapping[str, Any], chosen: str, cheapest: Mapping[str, float]) -> OptionPart:
    metric_values = option["metrics"]
    return OptionPart(
        title=option["title"],
        is_chosen=option["id"] == chosen,
        cheapest=Decimal(str(cheapest[option["id"]])),
        first_year=_metric_value(metric_values[FIRST_YEAR]),
        serving=_metric_value(metric_values["inference_cost_1y_usd"]),
        training=_metric_value(metric_values["training_cost_usd"]),
        ownership=_metric_value(metric_values["tco_usd"]),
        per_1k=_metric_value(metric_values["cost_per_1k_usd"]),
    )


def _metric_value(percentiles: Mapping[str, Any]) -> OptionValue:
    amounts = {
        level: None if percentiles[level] is None else Decimal(percentiles[level]) for level in ("p10", "p50", "p90")
    }
    if None in amounts.values():
        return OptionValue(value=None, low=None, high=None)
    return OptionValue(value=amounts["p50"], low=amounts["p10"], high=amounts["p90"])


def _change(move: Move) -> str:
    return f"{move.label}: {_amount(move.before)} before, {_amount(move.after)} now ({move.unit})"


def _amount(amount: Decimal | None) -> str:
    return "not served" if amount is None else f"{amount:,f}"


def _price(row: PriceRow) -> str:
    unit = row.unit.removesuffix("_h").replace("_", " ")
    words = f"{unit.replace('gpu', 'GPU')} hour" if row.unit.endswith("_h") else unit
    return f"{row.name or row.use}: {row.usd:f} USD for one {words}, as of {row.as_of}, {row.source}"
