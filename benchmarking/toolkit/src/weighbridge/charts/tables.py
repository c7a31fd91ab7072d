"""Tables: the text version of every chart."""

import dataclasses
from collections.abc import Sequence
from html import escape

EMPTY_CELL = "–"  # noqa: RUF001 -- a dash as in print


@dataclasses.dataclass(frozen=True)
class Table:
    """Headings and rows of text; the first column names the row, `figures` are the right-aligned columns."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: frozenset[int] = frozenset()


def markdown(table: Table) -> str:
    """Return the table in Markdown; vertical bars inside cells are escaped."""
    rules = ["---:" if index in table.figures else "---" for index in range(len(table.headings))]
    lines = [table.headings, rules, *table.rows]
    return "\n".join("| " + " | ".join(_markdown_cell(cell) for cell in line) + " |" for line in lines)


def html(table: Table) -> str:
    """Return the table in HTML, with a caption and scoped headings."""
    heads = _cells("th", table.headings, table.figures, ' scope="col"')
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        f"{_cells('td', row[1:], {index - 1 for index in table.figures})}</tr>\n"
        for row in table.rows
    )
    return (
        f"<table>\n<caption>{escape(table.caption)}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"
    )


def _cells(tag: str, cells: Sequence[str], figures: frozenset[int] | set[int], attributes: str = "") -> str:
    kind = {True: ' class="figure"', False: ""}
    return "".join(
        f"<{tag}{attributes}{kind[index in figures]}>{escape(cell)}</{tag}>" for index, cell in enumerate(cells)
    )


def _markdown_cell(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")
