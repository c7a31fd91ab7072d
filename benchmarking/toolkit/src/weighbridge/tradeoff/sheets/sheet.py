"""The sheet: a headline, sections of sentences, tables and charts, as Markdown and as printable HTML.

The HTML contains its styles and images; it loads nothing and runs no scripts.
"""

import dataclasses
from collections.abc import Sequence
from html import escape
from pathlib import Path

from weighbridge.charts import tables
from weighbridge.charts.drawing import Chart, svg
from weighbridge.charts.tables import Table
from weighbridge.tradeoff.decision import Situation

STYLE = Path(__file__).with_name("page.css")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sheet:
    """The content of a sheet: a title, the decision, sections by heading, tables, and charts by file name.

    `plates` are charts over the full width of the page; those of the `appendix` are only in the Markdown.
    """

    title: str
    subtitle: str
    headline: str
    situation: Situation
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    tables: tuple[tuple[str, Table], ...]
    charts: tuple[tuple[str, Chart], ...] = ()
    plates: tuple[tuple[str, Chart], ...] = ()
    appendix: tuple[tuple[str, Chart], ...] = ()

    @property
    def pictures(self) -> tuple[tuple[str, Chart], ...]:
        """Return all charts by file name."""
        return (*self.plates, *self.charts, *self.appendix)


def markdown(sheet: Sheet) -> str:
    """Return the sheet in Markdown; its images are the files `<name>.svg` in the same folder."""
    parts = [f"# {sheet.title}", sheet.subtitle + ".", f"**{sheet.headline}**"]
    for heading, sentences in sheet.sections:
        parts += [f"## {heading}", _bullets(sentences)]
    for heading, table in sheet.tables:
        parts += [f"## {heading}", tables.markdown(table)]
    for name, chart in sheet.pictures:
        parts += [f"## {chart.title}", f"![{chart.alt}]({name}.svg)", tables.markdown(chart.table)]
    return "\n\n".join(parts) + "\n"


def html(sheet: Sheet) -> str:
    """Return the sheet in HTML."""
    title = escape(sheet.title)
    sections = "\n".join(
        f"<section><h2>{escape(heading)}</h2>{_items(found)}</section>" for heading, found in sheet.sections
    )
    found = "\n".join(tables.html(table) for _, table in sheet.tables)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>{STYLE.read_text()}</style></head>
<body>
<header><h1>{title}</h1><p class="note">{escape(sheet.subtitle)}</p></header>
<p class="verdict verdict--{sheet.situation.value}">{escape(sheet.headline)}</p>
<main>
{sections}
</main>
{"".join(_metric(chart) for _, chart in sheet.plates)}<div class="charts">
{"".join(_metric(chart) for _, chart in sheet.charts)}</div>
{found}
</body>
</html>
"""


def _metric(chart: Chart) -> str:
    return f"<figure>{svg(chart)}<details><summary>As a table</summary>{tables.html(chart.table)}</details></figure>\n"


def _bullets(sentences: Sequence[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences) or "Nothing."


def _items(sentences: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else "<p>Nothing.</p>"
