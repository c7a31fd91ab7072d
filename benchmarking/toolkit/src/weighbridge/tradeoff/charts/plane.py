"""The trade-off chart: quality over cost; each candidate has an interval, and the frontier is a step line."""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from weighbridge.charts import labels
from weighbridge.charts.drawing import Chart, altair, chart_from_rows, chart_of
from weighbridge.charts.scales import Scale, scale_over
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import HEIGHT, INK, LABEL_PX, PAPER, PETROL, STATES, WIDTH
from weighbridge.tradeoff.axes import Axis, AxisDirection
from weighbridge.tradeoff.candidates import Candidate, Estimate
from weighbridge.tradeoff.charts.strokes import limit_line
from weighbridge.tradeoff.charts.words import capital, name_of, shown_unit, with_bounds, with_unit
from weighbridge.tradeoff.pareto import FrontierStanding, weigh


def trade_off(
    candidates: Sequence[Candidate],
    *,
    across: Axis,
    up: Axis,
    limits: Mapping[str, float] | None = None,
    chosen: str | None = None,
) -> Chart:
    """Draw two axes of the candidates that have both, with intervals, the frontier, limits and the choice."""
    frontier = weigh(candidates, (across, up))
    standings = {standing.name: standing for standing in frontier.standings}
    shown = [candidate for candidate in candidates if candidate.name in standings]
    limits = {metric: value for metric, value in (limits or {}).items() if metric in (across.metric, up.metric)}
    scales = {
        axis.metric: scale_over(_ends([each.metrics[axis.metric] for each in shown], limits.get(axis.metric)))
        for axis in (across, up)
    }
    x, y = scales[across.metric], scales[up.metric]
    rows = [_row(each, standings[each.name], across, up) for each in shown]
    stair = _stair(rows, across)
    _label(rows, stair, x, y, chosen)
    title = capital(f"{name_of(up.metric)} against {name_of(across.metric)}")
    units = {axis.metric: shown[0].metrics[axis.metric].unit if shown else "1" for axis in (across, up)}
    picture = _picture(rows, stair, limits, across, up, scales, units)
    return chart_of(
        picture, title=title, alt=_alt(title, rows), table=_table(title, shown, standings, across, up, units)
    )


def _ends(estimates: Sequence[Estimate], limit: float | None) -> list[float]:
    ends = [end for estimate in estimates for end in estimate.ends]
    return ends + ([limit] if limit is not None else [])


def _row(candidate: Candidate, standing: FrontierStanding, across: Axis, up: Axis) -> dict[str, Any]:
    x, y = candidate.metrics[across.metric], candidate.metrics[up.metric]
    row = {"name": candidate.name, "state": STATES[standing.state][2], "is_on": standing.is_frontier_at_values}
    for key, estimate in (("x", x), ("y", y)):
        row[key], (row[f"{key}_low"], row[f"{key}_high"]) = estimate.value, estimate.ends
    return row


def _label(
    rows: Sequence[dict[str, Any]], stair: Sequence[Mapping[str, Any]], x: Scale, y: Scale, chosen: str | None
) -> None:
    """Set the label and label position of each row, clear of points, error bars and the frontier."""

    def pixels(across: float, up: float) -> tuple[float, float]:
        return x.share(across) * WIDTH, (1 - y.share(up)) * HEIGHT

    ends = [((row["x"], row["y_low"]), (row["x"], row["y_high"])) for row in rows]
    ends += [((row["x_low"], row["y"]), (row["x_high"], row["y"])) for row in rows]
    ends += [((one["x"], one["y"]), (other["x"], other["y"])) for one, other in pairwise(stair)]
    lines = [labels.line_box(pixels(*one), pixels(*other)) for one, other in ends]
    texts = [row["name"] + (" (chosen)" if row["name"] == chosen else "") for row in rows]
    points = [pixels(row["x"], row["y"]) for row in rows]
    placed = labels.place_labels(points, texts, width=WIDTH, height=HEIGHT, lines=lines)
    for row, label in zip(rows, placed, strict=True):
        row.update(dataclasses.asdict(label))


def _stair(rows: Sequence[Mapping[str, Any]], across: Axis) -> list[dict[str, Any]]:
    """Return the corners of the frontier: between two points, it is level."""
    points = sorted({(row["x"], row["y"]) for row in rows if row["is_on"]}, key=lambda point: point[0] * across.sign)
    stair: list[dict[str, Any]] = []
    for point in points:
        if stair:
            stair.append({"x": point[0], "y": stair[-1]["y"]})
        stair.append({"x": point[0], "y": point[1]})
    return [{**corner, "order": order} for order, corner in enumerate(stair)]


def _picture(
    rows: list[dict[str, Any]],
    stair: list[dict[str, Any]],
    limits: Mapping[str, float],
    across: Axis,
    up: Axis,
    scales: Mapping[str, Scale],
    units: Mapping[str, str],
) -> Any:
    alt = altair()

    def channel(kind: Any, field: str, axis: Axis) -> Any:
        better = "higher" if axis.direction is AxisDirection.MAX else "lower"
        title = f"{with_unit(axis.metric, units[axis.metric])}, {better} is better"
        return kind(field, type="quantitative", scale=alt.Scale(**scales[axis.metric].form), title=title)

    def by_state(kind: Any, looks: list[str]) -> Any:
        scale = alt.Scale(domain=[word for _, _, word in STATES.values()], range=looks)
        return kind("state:N", scale=scale, title=None)

    x, y = channel(alt.X, "x", across), channel(alt.Y, "y", up)
    points = chart_from_rows(rows)
    shape = by_state(alt.Shape, [form for form, _, _ in STATES.values()])
    fill = by_state(alt.Fill, [color for _, color, _ in STATES.values()])
    layers = [
        chart_from_rows(stair)
        .mark_line(color=PETROL, strokeWidth=1.2, strokeDash=[5, 3])
        .encode(x=x, y=y, order="order:Q"),
        points.mark_rule(color=INK, strokeWidth=1).encode(x=channel(alt.X, "x_low", across), x2="x_high:Q", y=y),
        points.mark_rule(color=INK, strokeWidth=1).encode(x=x, y=channel(alt.Y, "y_low", up), y2="y_high:Q"),
        points.mark_point(size=90, stroke=INK, strokeWidth=1.4, opacity=1).encode(x=x, y=y, shape=shape, fill=fill),
        *_limits(limits, across, units, x, y),
        *(_text(row, is_halo=is_halo).encode(x=x, y=y, text="text:N") for row in rows for is_halo in (True, False)),
    ]
    return alt.layer(*layers).configure_legend(orient="bottom", labelFontSize=LABEL_PX, title=None)


def _text(row: Mapping[str, Any], *, is_halo: bool) -> Any:
    """Return a label, or the white outline below it that keeps it readable where lines cross."""
    form = {"dx": row["dx"], "dy": row["dy"], "align": row["align"], "baseline": "middle", "fontSize": LABEL_PX}
    colors = {"color": PAPER, "stroke": PAPER, "strokeWidth": 3.5} if is_halo else {"color": INK}
    return chart_from_rows([row]).mark_text(**form, **colors)


def _limits(limits: Mapping[str, float], across: Axis, units: Mapping[str, str], x: Any, y: Any) -> list[Any]:
    """Return a dashed line with a label for each limit."""
    layers = []
    for metric, limit in limits.items():
        at, words = {"x": limit, "y": limit}, f"limit {limit:g} {shown_unit(units[metric])}".rstrip()
        if metric == across.metric:
            layers += limit_line(at, words, across=x, align="right", dx=-4, dy=8, y=0)
        else:
            layers += limit_line(at, words, up=y, align="right", dx=-2, dy=-7, x=WIDTH)
    return layers


def _alt(title: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Describe the chart: the number of points, and each candidate's standing."""
    if not rows:
        return f"{title}: no candidate has both estimates."
    groups = {word: [row["name"] for row in rows if row["state"] == word] for _, _, word in STATES.values()}
    groups_text = [f"{word}: {', '.join(names)}" for word, names in groups.items() if names]
    return f"{title} of {len(rows)} candidates with their intervals. {'; '.join(groups_text)}."


def _table(
    title: str,
    shown: Sequence[Candidate],
    standings: Mapping[str, FrontierStanding],
    across: Axis,
    up: Axis,
    units: Mapping[str, str],
) -> Table:
    estimates = (with_unit(axis.metric, units[axis.metric]) for axis in (up, across))
    rows = []
    for each in shown:
        standing = standings[each.name]
        bounds = (with_bounds(each.metrics[axis.metric]) for axis in (up, across))
        beaten_by = ", ".join(by.name for by in standing.dominated_by[:3]) or EMPTY_CELL
        rows.append((each.name, *bounds, f"{standing.p_frontier:.2f}", standing.state.value, beaten_by))
    headings = ("candidate", *estimates, "P(frontier)", "state", "beaten by")
    return Table(title, headings, tuple(rows), frozenset({1, 2, 3}))
