"""Queries that every page asks, and the pages of a list of any length.

SQL that every page needs is compiled once, because compiling takes longer than running it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, overload

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

Given = TypeVar("Given")
Row = TypeVar("Row", bound=Model)
Shown = TypeVar("Shown", covariant=True)


def compiled_once(
    build: Callable[[Given], QuerySet[Any, Any]], *, marker: Given
) -> Callable[[Given], list[tuple[Any, ...]]]:
    """A function that runs the query of `build` for a value and returns its rows.

    The query is built once, with `marker`; each call puts its own value in the place of the marker. The marker is a
    value that the query does not contain otherwise, and the text of the query must not depend on the value.
    """

    @cache
    def compiled() -> tuple[str, tuple[Any, ...]]:
        return build(marker).query.sql_with_params()

    def rows(given: Given) -> list[tuple[Any, ...]]:
        sql, params = compiled()
        values: list[Any] = [given if param == marker else param for param in params]
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    return rows


ROWS_MAX = 10_000
"""How many rows of a list are counted, and can be turned to."""
BEYOND = f"Pages show the first {ROWS_MAX:,} rows alone. Narrow the list, or take its file, where that is offered."


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # it takes no argument when it runs
    """Pages of the first `ROWS_MAX` rows: counting them and turning to the last reads no more rows than that.

    Rows are counted without order, and without the joined tables that no filter needs.
    """

    @cached_property
    def counted(self) -> int:
        """How many rows there are; `ROWS_MAX + 1` for all that are more."""
        rows = self.object_list
        return rows.order_by().values("pk")[: ROWS_MAX + 1].count() if isinstance(rows, QuerySet) else len(rows)

    @cached_property
    def count(self) -> int:
        """How many rows the pages have."""
        return min(self.counted, ROWS_MAX)

    @property
    def beyond(self) -> str:
        """How to see the rows that no page has; "" if there are none."""
        return BEYOND if self.counted > ROWS_MAX else ""


def bounded_page(rows: Any, *, size: int, number: object) -> "Page[Any]":
    """The page of that number: the first if it is no number, the last if it is too high."""
    return BoundedPaginator(rows, size).get_page(number)  # type: ignore[arg-type]  # what is no number is the first


class ShownRows(Sequence[Shown]):
    """The rows of a query as they are shown. Its length counts them; a part of it reads the rows of that part alone.

    `show` gets the rows of a part, and how many rows come before it. `count` is how many there are, if it is known.
    """

    def __init__(
        self, rows: QuerySet[Row], show: Callable[[Sequence[Row], int], Iterable[Shown]], *, count: int | None = None
    ) -> None:
        self._part: Callable[[slice], Iterable[Any]] = lambda part: rows[part]
        self._show: Callable[[Sequence[Any], int], Iterable[Shown]] = show
        self._count: Callable[[], int] = rows.count if count is None else lambda: count

    @cached_property
    def counted(self) -> int:
        """How many rows there are."""
        return self._count()

    def __len__(self) -> int:
        return self.counted

    @overload
    def __getitem__(self, index: int) -> Shown: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Shown]: ...
    def __getitem__(self, index: int | slice) -> Shown | Sequence[Shown]:
        if isinstance(index, slice) and index.step not in {None, 1}:
            raise ValueError("Only rows that follow each other can be read.")
        places = range(len(self))[index]
        if isinstance(places, int):
            return self[places : places + 1][0]
        return list(self._show(list(self._part(slice(places.start, places.stop))), places.start)) if places else []

    def __iter__(self) -> Iterator[Shown]:
        return iter(self[:])


def pages_of_parts(parts: Mapping[str, Any], *, size: int, asked: Mapping[str, Any]) -> "dict[str, Page[Any]]":
    """A page of each list of a page that has several, by the name of the list, which is also its anchor.

    `asked` is the query of the address: `page` is the number of the list that `part` names, and all others are at their
    first.
    """
    chosen = asked.get("part", "")
    return {
        name: bounded_page(rows, size=size, number=asked.get("page") if name == chosen else None)
        for name, rows in parts.items()
    }
