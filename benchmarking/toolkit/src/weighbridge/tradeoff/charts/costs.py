"""Charts of a projection document: cost bands, sensitivity (tornado), and crossover by volume."""

from collections.abc import Mapping
from typing import Any

from weighbridge.charts.drawing import Chart, altair, chart_from_rows, chart_of
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import INK, PAPER, PETROL
from weighbridge.cli.tables.terminal import number
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.charts.strokes import dashed_lines, limit_line

LEVELS = ("p10", "p50", "p80", "p90")
TITLES = {
    "training_cost_usd": "Training",
    "inference_cost_1y_usd": "One year of serving",
    "total_cost_1y_usd": "Cost of the first year",
    "cost_per_1k_usd": "1,000 inferences",
    "cost_per_1k_loaded_usd": "1,000 inferences, with upkeep",
    "tco_usd": "Total cost of ownership",
    "equivalent_annual_usd": "Equivalent annual cost",
    "exit_cost_usd": "What leaving costs",
}
BARS_MAX = 10
BAR_PX = 30
MILLION, THOUSAND = 1e6, 1e3
# Names of inputs and options are on the left, in the reader's font.
PADDING = {"left": 44, "right": 16, "top": 12, "bottom": 12}


def cost_bands(document: Mapping[str, Any], metric: str = "total_cost_1y_usd") -> Chart:
    """Draw each option's metric from P10 to P90, with a point at P50 and a stroke at P80, which policies test.

    Raises Invalid if no option has amounts.
    """
    alt = altair()
    found = [
        {"option": each["title"], **{level: _usd(each["metrics"][metric][level]) for level in LEVELS}}
        for each in document["options"]
    ]
    rows = [row for row in found if None not in row.values()]
    if not rows:
        text = "No option has an amount at every level, for example because the load often cannot be served."
        raise Invalid(text, code="chart_costs", field="options")
    up = alt.Y("option:N", sort=None, title=None, axis=alt.Axis(labelLimit=220))
    across = alt.X("p10:Q", title=_axis(metric), scale=alt.Scale(zero=True, nice=True))
    picture = alt.layer(
        chart_from_rows(rows).mark_bar(size=12, color=PAPER, stroke=INK).encode(x=across, x2="p90:Q", y=up),
        chart_from_rows(rows).mark_point(size=70, filled=True, color=PETROL, opacity=1).encode(x="p50:Q", y=up),
        chart_from_rows(rows).mark_tick(size=26, thickness=2.4, color=INK).encode(x="p80:Q", y=up),
    )
    title = f"{_title(metric)}: P10 to P90, point P50, stroke P80"
    table = Table(
        f"{_title(metric)} in US dollars",
        ("option", *(level.upper() for level in LEVELS), "cheapest"),
        tuple(_band_row(document, each, metric) for each in document["options"]),
        frozenset(range(1, 6)),
    )
    words = "; ".join(
        f"{row['option']} {number(row['p10'])} to {number(row['p90'])}, half below {number(row['p50'])}" for row in rows
    )
    picture = picture.properties(height=max(90, BAR_PX * 2 * len(rows)), padding=PADDING)
    return chart_of(picture, title=title, alt=f"{_title(metric)} in US dollars. {words}.", table=table)


def tornado(option: Mapping[str, Any], metric: str = "total_cost_1y_usd") -> Chart:
    """Draw one option's metric with each input at its P10 (white) and P90 (filled), and the others at their medians.

    Raises Invalid if no input has a range.
    """
    alt = altair()
    swings = [
        {"input": swing["input"], "low": _usd(swing["at_p10_usd"]), "high": _usd(swing["at_p90_usd"])}
        for swing in option["tornado"][metric]
    ]
    known = [swing for swing in swings if swing["low"] is not None and swing["high"] is not None][:BARS_MAX]
    if not known:
        text = f"No input of {option['title']} has a range, so there is no tornado chart."
        raise Invalid(text, code="chart_tornado", field="options")
    middle = _usd(option["metrics"][metric]["middle"])
    up = alt.Y("input:N", sort=None, title=None, axis=alt.Axis(labelLimit=260))
    rows = [{**swing, "middle": middle} for swing in known]
    across = alt.X("middle:Q", title=_axis(metric), scale=alt.Scale(zero=False))
    picture = alt.layer(
        chart_from_rows(rows).mark_bar(size=13, color=PAPER, stroke=INK).encode(x=across, x2="low:Q", y=up),
        chart_from_rows(rows).mark_bar(size=13, color=PETROL, stroke=INK).encode(x=across, x2="high:Q", y=up),
        chart_from_rows(rows[:1]).mark_rule(color=INK, strokeWidth=1.4).encode(x="middle:Q"),
    )
    title = f"{_title(metric)} of {option['title']}: what moves it"
    table = Table(
        f"{title}, in US dollars",
        ("input", "at its P10", "at its P90"),
        tuple((swing["input"], _shown(swing["low"]), _shown(swing["high"])) for swing in swings),
        frozenset({1, 2}),
    )
    first = known[0]
    alt_text = (
        f"Of {len(swings)} inputs with a range, {first['input']} moves the result most: from {number(first['low'])} to "
        f"{number(first['high'])} US dollars around {number(middle)}."
    )
    drawn = picture.properties(height=max(90, BAR_PX * len(known)), padding=PADDING)
    return chart_of(drawn, title=title, alt=alt_text, table=table)


def cost_crossover(document: Mapping[str, Any]) -> Chart:
    """Draw each option's yearly cost by requests per year (median of the draws); both scales are logarithmic."""
    found = document["crossover"]
    titles = {each["id"]: each["title"] for each in document["options"]}
    rows = [
        {"option": titles[name], "x": volume / MILLION, "y": usd / THOUSAND}
        for name, over_volume in found["costs_usd"].items()
        for volume, levels in zip(found["volumes"], over_volume, strict=True)
        if (usd := _usd(levels["p50"]))
    ]
    lines = dashed_lines(
        rows,
        list(titles.values()),
        key="option",
        title="million requests a year",
        up="equivalent annual cost (thousand USD)",
        is_log=True,
        is_log_up=True,
    )
    now = {"x": document["load"]["requests_per_year"] / MILLION}
    limit = limit_line(now, "the load of the spec", across="x:Q", align="left", dx=5, y=6)
    picture = altair().layer(lines, *limit)
    pairs = [_pair_words(pair, titles) for pair in found["pairs"]]
    table = Table(
        "Where options cross, in requests a year",
        ("options", "P10", "P50", "P90", "crosses in", "first cheaper from month", "ever within the years"),
        tuple(_pair_row(pair, titles) for pair in found["pairs"]),
        frozenset(range(1, 7)),
    )
    words = " ".join(pairs) or "There is one option."
    return chart_of(picture, title="Yearly cost over volume", alt=f"Yearly cost over volume. {words}", table=table)


def _band_row(document: Mapping[str, Any], option: Mapping[str, Any], metric: str) -> tuple[str, ...]:
    share = document["cheapest"].get(metric, {}).get(option["id"])
    amounts = (_shown(_usd(option["metrics"][metric][level])) for level in LEVELS)
    return (option["title"], *amounts, EMPTY_CELL if share is None else f"{share:.0%}")


def _pair_words(pair: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    names = f"{titles[pair['first']]} and {titles[pair['second']]}"
    if pair["volume"] is None:
        return f"{names} do not cross."
    return f"{names} cross at about {number(pair['volume']['p50'])} requests a year."


def _pair_row(pair: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, ...]:
    volume, month = pair["volume"] or {}, pair["month"] or {}
    return (
        f"{titles[pair['first']]} / {titles[pair['second']]}",
        *(_shown(volume.get(level)) for level in ("p10", "p50", "p90")),
        f"{pair['volume_probability']:.0%}",
        _shown(month.get("p50")),
        f"{pair['month_probability']:.0%}",
    )


def _title(metric: str) -> str:
    return TITLES.get(metric, metric.replace("_", " "))


def _axis(metric: str) -> str:
    return f"{_title(metric)} (USD)"


def _usd(text: str | None) -> float | None:
    return None if text is None else float(text)


def _shown(value: float | None) -> str:
    return EMPTY_CELL if value is None else number(value)
