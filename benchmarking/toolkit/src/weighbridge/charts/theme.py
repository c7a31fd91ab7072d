"""The look of every chart: enamel, graphite and one accent. A test holds the colors to the design tokens of the pages.

State is told by shape and stroke; color only repeats it, so that a chart reads the same in black and white.
"""

from typing import Any

PAPER, INK, INK_SOFT, GRID = "#ffffff", "#25282b", "#4b5054", "#d8d5cc"
PETROL, PETROL_DEEP, WASH, RED = "#0b5563", "#073f4a", "#dcebed", "#9a211b"
# What a color becomes where the reader's page is dark.
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
# Shape, fill, and the word in the key, for the three states of the frontier.
STATES = {
    "frontier": ("circle", PETROL, "on the frontier"),
    "ambiguous": ("diamond", PAPER, "ambiguous"),
    "dominated": ("triangle-down", PAPER, "dominated"),
}
# One dash for each line of a chart with several; drawn and keyed by the same pattern.
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [1, 4])
GREYS = (PETROL, INK, INK_SOFT, "#70797f", PETROL_DEEP, "#85827a")

_WORDS = {"labelFont": FONT, "titleFont": FONT, "labelColor": INK_SOFT, "titleColor": INK, "labelFontSize": LABEL_PX}
CONFIG: dict[str, Any] = {
    "aria": False,  # what it shows is said once, in the title and the description
    "background": PAPER,
    "font": FONT,
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": LABEL_PX},
    "axis": {
        **_WORDS,
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
    "legend": {**_WORDS, "titleFontSize": LABEL_PX, "symbolStrokeWidth": 1.5, "columnPadding": 24},
    "title": {"font": FONT, "fontSize": 15, "color": INK, "anchor": "start", "offset": 12},
}


def styled(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the specification with this look; what it says of itself wins."""
    own = spec.get("config", {})
    config = {
        part: {**look, **own.get(part, {})} if isinstance(look, dict) else own.get(part, look)
        for part, look in CONFIG.items()
    }
    return {"width": WIDTH, "height": HEIGHT, "padding": 12, **spec, "config": config}
