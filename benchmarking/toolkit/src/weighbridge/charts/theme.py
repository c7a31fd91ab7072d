"""The theme of all charts. A test compares its colors with the design tokens of the pages.

Shape and stroke show the state; color only repeats it, so that charts also work in black and white.
"""

from typing import Any

PAPER, INK, INK_SOFT, GRID = "#ffffff", "#25282b", "#4b5054", "#d8d5cc"
PETROL, PETROL_DEEP, WASH, RED = "#0b5563", "#073f4a", "#dcebed", "#9a211b"
# The color to use in dark mode.
NIGHT = {
    PAPER: "#1b2023",
    INK: "#dfddd6",
    INK_SOFT: "#b5b8b8",
    GRID: "#2b3236",
    PETROL: "#74c7d3",
    PETROL_DEEP: "#a5dde5",
    WASH: "#123239",
    RED: "#f3968c",
}
FONT = "Liberation Sans, DejaVu Sans, sans-serif"
WIDTH, HEIGHT = 620, 380
LABEL_PX = 12
# Shape, fill and legend label of the three states of the frontier.
STATES = {
    "frontier": ("circle", PETROL, "on the frontier"),
    "ambiguous": ("diamond", PAPER, "ambiguous"),
    "dominated": ("triangle-down", PAPER, "dominated"),
}
# Dash patterns for charts with several lines, in the chart and in the legend.
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [1, 4])
GRAYS = (PETROL, INK, INK_SOFT, "#70797f", PETROL_DEEP, "#85827a")

_TEXT_STYLE = {
    "labelFont": FONT,
    "titleFont": FONT,
    "labelColor": INK_SOFT,
    "titleColor": INK,
    "labelFontSize": LABEL_PX,
}
CONFIG: dict[str, Any] = {
    "aria": False,  # the title and the description already describe the chart
    "background": PAPER,
    "font": FONT,
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": LABEL_PX},
    "axis": {
        **_TEXT_STYLE,
        "titleFontSize": LABEL_PX,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelFlush": False,
        "labelSeparation": 6,
        "gridColor": GRID,
        "gridWidth": 0.6,
        "domainColor": INK_SOFT,
        "tickColor": INK_SOFT,
    },
    "legend": {**_TEXT_STYLE, "titleFontSize": LABEL_PX, "symbolStrokeWidth": 1.5, "columnPadding": 24},
    "title": {"font": FONT, "fontSize": 15, "color": INK, "anchor": "start", "offset": 12},
}


def apply_theme(spec: dict[str, Any]) -> dict[str, Any]:
    """Apply the theme to a specification; settings of the specification take precedence."""
    own = spec.get("config", {})
    config = {
        part: {**style, **own.get(part, {})} if isinstance(style, dict) else own.get(part, style)
        for part, style in CONFIG.items()
    }
    return {"width": WIDTH, "height": HEIGHT, "padding": 12, **spec, "config": config}
