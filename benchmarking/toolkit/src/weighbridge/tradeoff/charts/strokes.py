"""Strokes: several lines in one chart, told apart by their dashes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from weighbridge.charts.drawing import altair, chart_from_rows
from weighbridge.charts.theme import DASHES, GREYS

KINDS: Mapping[bool, Literal["log", "linear"]] = {True: "log", False: "linear"}


def layered(layers: Sequence[Any]) -> Any:
    """Return the layers as one picture, the first at the bottom."""
    alt = altair()

    return alt.layer(*layers)


def dashed_lines(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    *,
    key: str,
    title: str,
    up: str,
    is_log: bool,
    is_log_up: bool = False,
) -> Any:
    """Return one line for each name, told apart by its dash; the key stands below."""
    alt = altair()

    dashes = [DASHES[index % len(DASHES)] for index in range(len(names))]
    colors = [GREYS[index % len(GREYS)] for index in range(len(names))]
    return (
        chart_from_rows(rows)
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("x:Q", scale=alt.Scale(type=KINDS[is_log], nice=False, zero=False), title=title),
            y=alt.Y("y:Q", scale=alt.Scale(type=KINDS[is_log_up]), title=up),
            strokeDash=alt.StrokeDash(
                f"{key}:N",
                scale=alt.Scale(domain=list(names), range=dashes),
                title=None,
                legend=alt.Legend(orient="bottom", columns=3, symbolSize=900, labelLimit=220),
            ),
            color=alt.Color(f"{key}:N", scale=alt.Scale(domain=list(names), range=colors), title=None),
        )
    )
