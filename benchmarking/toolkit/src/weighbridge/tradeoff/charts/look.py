"""The look of every chart: enamel, graphite and one accent, as everywhere in the house.

State is told by shape and stroke; colour only repeats it, so that a chart reads the same in black and white.
"""

from typing import Any

INK, INK_SOFT, GRID, PETROL, RED = "#25282b", "#4b5054", "#d8d5cc", "#0b5563", "#9a211b"
FONT = "Liberation Sans, DejaVu Sans, sans-serif"
WIDTH, HEIGHT = 620, 380
LABEL_PX = 12
# Shape, fill, and the word in the key, for the three states of the frontier.
STATES = {
    "frontier": ("circle", PETROL, "on the frontier"),
    "ambiguous": ("diamond", "white", "ambiguous"),
    "dominated": ("triangle-down", "white", "dominated"),
}
# One dash for each line of a chart with several; drawn and keyed by the same pattern.
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [1, 4])
GREYS = (PETROL, INK, INK_SOFT, "#70797f", "#073f4a", "#85827a")


def configured(chart: Any) -> Any:
    """Return the chart with the house's fonts, lines and colours, and no background."""
    label = {"labelFont": FONT, "titleFont": FONT, "labelColor": INK_SOFT, "titleColor": INK}
    return (
        chart.properties(width=WIDTH, height=HEIGHT, padding=12)
        .configure(background="white", font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            **label,
            labelFontSize=LABEL_PX,
            titleFontSize=13,
            titleFontWeight="normal",
            gridColor=GRID,
            gridWidth=0.6,
            domainColor=INK_SOFT,
            tickColor=INK_SOFT,
            titlePadding=8,
        )
        .configure_legend(**label, labelFontSize=LABEL_PX, titleFontSize=LABEL_PX, symbolStrokeWidth=1.5)
        .configure_title(font=FONT, fontSize=15, color=INK, anchor="start", offset=12)
    )
