"""Tables for exports from queries, read in blocks while the file is written."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable

Columns = Mapping[str, str | Callable[[Any], Cell]]
M = TypeVar("M", bound=Model)


def table_of(name: str, *, columns: Columns, rows: QuerySet[M]) -> ExportTable:
    """The rows as a table; each column is an attribute, like `owner.username`, or a function of the row."""
    reads = [attrgetter(each) if isinstance(each, str) else each for each in columns.values()]
    cells = ([read(row) for read in reads] for row in rows.iterator())
    return ExportTable(name, tuple(columns), cells, rows.count())


def name_in(field: str) -> Callable[[Any], str]:
    """A column with the user name in a field that may be empty."""

    def read(row: Any) -> str:
        person = getattr(row, field)
        return person.username if person else ""

    return read
