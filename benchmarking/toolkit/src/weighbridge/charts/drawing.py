"""Drawing: a chart's Vega-Lite specification becomes SVG or PNG in this process, without a browser and without a
network.

The SVG carries its title and description for screen readers, and neither scripts nor references to other files.
"""

import dataclasses
import functools
import hashlib
import importlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from weighbridge.charts.tables import Table
from weighbridge.charts.theme import NIGHT, styled
from weighbridge.core.errors import Invalid

VEGA_LITE = "6.4"
# An address that nothing has: no specification can make the renderer fetch.
NOWHERE = ["https://nowhere.invalid/"]
KEPT = 128
# XML has no way to write these, and the renderer ends the whole process where it meets one.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BY_NIGHT = "".join(
    f'[{part}="{day}"]{{{part}:{night}}}' for day, night in NIGHT.items() for part in ("fill", "stroke")
)


@dataclasses.dataclass(frozen=True)
class Chart:
    """A picture as a specification with its data inside, in words (`alt`), and as a table."""

    title: str
    alt: str
    spec: dict[str, Any]
    table: Table

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that decides how it looks."""
        said = json.dumps([self.title, self.alt, self.spec], sort_keys=True)
        return f"sha256:{hashlib.sha256(said.encode()).hexdigest()}"


def altair() -> Any:
    """Return the library that writes specifications; raise Invalid where it is not installed."""
    return _library("altair")


def over(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return an Altair chart over rows that it carries inside itself."""
    alt = altair()
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def chart_of(picture: Any, *, title: str, alt: str, table: Table) -> Chart:
    """Return a chart, in the one look, of an Altair picture or of a specification; its data stay inside."""
    spec = picture if isinstance(picture, dict) else json.loads(picture.properties(title=title).to_json())
    return Chart(printable(title), printable(alt), printable(styled(spec)), table)


def printable(value: Any) -> Any:
    """Return the value with a blank in the place of every character, in any text of it, that XML cannot write."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(" ", value)
    if isinstance(value, dict):
        return {key: printable(item) for key, item in value.items()}
    return [printable(item) for item in value] if isinstance(value, list | tuple) else value


def svg(chart: Chart) -> str:
    """Draw as SVG with a title and a description; drawn once for each specification."""
    head, _, rest = _drawn(json.dumps(chart.spec, sort_keys=True)).partition(">")
    words = f"<title>{escape(chart.title)}</title><desc>{escape(chart.alt)}</desc>"
    return f'{head} role="img">{words}{rest}'


def in_both_themes(drawn: str) -> str:
    """Return an SVG for an `img` of a page: it turns dark where the page does."""
    head, _, rest = drawn.partition(">")
    return f"{head}><style>@media (prefers-color-scheme:dark){{{_BY_NIGHT}}}</style>{rest}"


def png(chart: Chart, *, scale: float = 2.0) -> bytes:
    """Draw as PNG, `scale` pixels to a point."""
    drawn: bytes = _library("vl_convert").vegalite_to_png(
        chart.spec, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=NOWHERE
    )
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


@functools.lru_cache(maxsize=KEPT)
def _drawn(spec: str) -> str:
    drawn: str = _library("vl_convert").vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=NOWHERE)
    return drawn


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        text = 'Charts need libraries that are not installed here: pip install "weighbridge[charts]".'
        raise Invalid(text, code="chart_library") from error
