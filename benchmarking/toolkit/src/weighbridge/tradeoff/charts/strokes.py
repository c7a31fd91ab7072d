"""Strokes: several lines in one chart, told apart by their dashes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from weighbridge.charts.drawing import altair, chart_from_rows
from weighbridge.charts.theme import DASHES, GRAYS, LABEL_PX, RED

KINDS: Mapping[bool, Literal["log", "linear"]] = {True: "log", False: "linear"}


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
    colors = [GRAYS[index % len(GRAYS)] for index in range(len(names))]
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


def limit_line(at: Mapping[str, float], words: str, *, across: Any = None, up: Any = None, **place: Any) -> list[Any]:
    """Return a dashed line over the channel `across` (vertical) or `up` (level) of `at`, and its words at `place`."""
    data = chart_from_rows([{**at, "words": words}])
    channel = {"x": across} if up is None else {"y": up}
    return [
        data.mark_rule(color=RED, strokeWidth=1.4, strokeDash=[2, 3]).encode(**channel),
        data.mark_text(color=RED, fontSize=LABEL_PX, **place).encode(**channel, text="words:N"),
    ]
