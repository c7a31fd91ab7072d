"""Rendering of Vega-Lite specifications as SVG or PNG in this process, without a browser and without network access.

The SVG contains its title and description for screen readers, and no scripts or references to other files.
"""

import dataclasses
import functools
import hashlib
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from weighbridge.charts.tables import Table
from weighbridge.charts.theme import NIGHT, apply_theme
from weighbridge.core.errors import Invalid

VEGA_LITE = "6.4"
# An address that does not exist, so that no specification can make the renderer fetch data.
NOWHERE = ["https://nowhere.invalid/"]
CACHE_SIZE = 128
SUFFIXES = (".svg", ".png")
# XML cannot contain these characters, and the renderer aborts the process on them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DARK_STYLES = "".join(
    f'[{part}="{day}"]{{{part}:{night}}}' for day, night in NIGHT.items() for part in ("fill", "stroke")
)


@dataclasses.dataclass(frozen=True)
class Chart:
    """A chart as a specification with embedded data, as alternative text (`alt`), and as a table."""

    title: str
    alt: str
    spec: dict[str, Any]
    table: Table

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that affects the rendering."""
        content = json.dumps([self.title, self.alt, self.spec], sort_keys=True)
        return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def altair() -> Any:
    """Import Altair; raise Invalid if it is not installed."""
    return _library("altair")


def chart_from_rows(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return an Altair chart with the rows as inline data."""
    alt = altair()
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]))


def chart_of(picture: Any, *, title: str, alt: str, table: Table) -> Chart:
    """Return a themed chart from an Altair chart or a specification, with its data inline."""
    spec = picture if isinstance(picture, dict) else json.loads(picture.properties(title=title).to_json())
    return Chart(xml_safe(title), xml_safe(alt), xml_safe(apply_theme(spec)), table)


def xml_safe(value: Any) -> Any:
    """Replace characters that XML cannot contain with spaces, in all texts of a value."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(" ", value)
    if isinstance(value, dict):
        return {key: xml_safe(item) for key, item in value.items()}
    return [xml_safe(item) for item in value] if isinstance(value, list | tuple) else value


def svg(chart: Chart) -> str:
    """Render as SVG with title and description; cached by specification."""
    head, _, rest = _drawn(json.dumps(chart.spec, sort_keys=True)).partition(">")
    metadata = f"<title>{escape(chart.title)}</title><desc>{escape(chart.alt)}</desc>"
    return f'{head} role="img">{metadata}{rest}'


def in_both_themes(drawn: str) -> str:
    """Return an SVG for an `img` element that follows the dark mode of the page."""
    head, _, rest = drawn.partition(">")
    return f"{head}><style>@media (prefers-color-scheme:dark){{{_DARK_STYLES}}}</style>{rest}"


def png(chart: Chart, *, scale: float = 2.0) -> bytes:
    """Render as PNG, `scale` pixels per point."""
    drawn: bytes = _library("vl_convert").vegalite_to_png(
        chart.spec, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=NOWHERE
    )
    return drawn


def drawn(chart: Chart, suffix: str) -> bytes:
    """Return the chart as the content of an `.svg` or `.png` file; raise Invalid for another suffix."""
    check_suffix(suffix)
    return svg(chart).encode() if suffix == ".svg" else png(chart)


def check_suffix(suffix: str) -> None:
    """Raise Invalid for a file that is no chart."""
    if suffix not in SUFFIXES:
        raise Invalid("The file of a chart must end with .svg or .png.", code="chart_file", field="chart")


@functools.lru_cache(maxsize=CACHE_SIZE)
def _drawn(spec: str) -> str:
    drawn: str = _library("vl_convert").vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=NOWHERE)
    return drawn


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        text = 'Charts need libraries that are not installed here: pip install "weighbridge[charts]".'
        raise Invalid(text, code="chart_library") from error
