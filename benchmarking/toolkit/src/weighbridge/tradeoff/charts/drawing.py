"""Drawing: a chart's Vega-Lite specification becomes SVG or PNG in this process, without a browser and without a
network.

The SVG carries its title and description for screen readers, and neither scripts nor references to other files.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.charts.tables import Table

VEGA_LITE = "6.4"
# An address that nothing has: no specification can make the renderer fetch.
NOWHERE = ["https://nowhere.invalid/"]


@dataclasses.dataclass(frozen=True)
class Chart:
    """A picture as a specification with its data inside, in words (`alt`), and as a table."""

    title: str
    alt: str
    spec: dict[str, Any]
    table: Table


def over(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return an Altair chart over rows that it carries inside itself."""
    import altair as alt

    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def chart_of(picture: Any, *, title: str, alt: str, table: Table) -> Chart:
    """Return a chart of an Altair picture; its data stay inside the specification."""
    spec: dict[str, Any] = json.loads(picture.properties(title=title).to_json())
    return Chart(title, alt, spec, table)


def svg(chart: Chart) -> str:
    """Draw as SVG with a title and a description."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(chart.spec, vl_version=VEGA_LITE, allowed_base_urls=NOWHERE)
    head, _, rest = drawn.partition(">")
    words = f"<title>{escape(chart.title)}</title><desc>{escape(chart.alt)}</desc>"
    return f'{head} role="img">{words}{rest}'


def png(chart: Chart, *, scale: float = 2.0) -> bytes:
    """Draw as PNG, `scale` pixels to a point."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(chart.spec, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=NOWHERE)
    return drawn


def save(chart: Chart, path: Path) -> None:
    """Write the picture as `.svg` or `.png`, by the name; raise Invalid for another ending or an unwritable place."""
    makers: Mapping[str, Callable[[Chart], bytes]] = {".svg": lambda chart: svg(chart).encode(), ".png": png}
    if path.suffix not in makers:
        raise Invalid(f"{path.name} is no picture's name: end it with .svg or .png.", code="chart_file", field="chart")
    try:
        path.write_bytes(makers[path.suffix](chart))
    except OSError as error:
        raise Invalid(
            f"The chart cannot be written to {path}: {error.strerror}.", code="chart_file", field="chart"
        ) from error
