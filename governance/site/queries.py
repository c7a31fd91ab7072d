"""Queries that every page asks: their SQL is compiled once, because compiling takes longer than running it."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import QuerySet

Given = TypeVar("Given")


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
