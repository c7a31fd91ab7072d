"""Write a page and its charts into a folder, as HTML, Markdown, SVG and, if possible, PDF."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from weighbridge.api.documents import write_file
from weighbridge.charts.drawing import drawn
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.sheets.printing import PrintRefused, print_pdf
from weighbridge.tradeoff.sheets.sheet import Sheet, markdown
from weighbridge.tradeoff.sheets.sheet import html as html_of

Print = Callable[[Path, Path], None]


def publish(page: Sheet, folder: Path, *, name: str, print_page: Print = print_pdf) -> str | None:
    """Write `name.html`, `name.md`, `name.pdf` and the charts; return the reason if there is no PDF, else None.

    `print_page(html, pdf)` prints, and raises PrintRefused if it cannot. Raises Invalid for an unwritable folder.
    """
    html = folder / f"{name}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"Cannot write to {folder}: {error.strerror}.", code="folder", field="out") from error
    write_file(html, html_of(page).encode(), field="out")
    write_file(folder / f"{name}.md", markdown(page).encode(), field="out")
    for chart_name, chart in page.pictures:
        write_file(folder / f"{chart_name}.svg", drawn(chart, ".svg"), field="out")
    with contextlib.suppress(FileNotFoundError):
        html.with_suffix(".pdf").unlink()
    try:
        print_page(html, html.with_suffix(".pdf"))
    except PrintRefused as refused:
        return refused.reason
    return None
