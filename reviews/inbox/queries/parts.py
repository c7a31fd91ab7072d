"""Rows that are read in parts, because only their content tells which of them are listed."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from reviews.inbox.domain import LISTED_MAX

M = TypeVar("M", bound=Model)


def parts_of(rows: QuerySet[M], *, whole: Callable[[QuerySet[M, Any]], QuerySet[M]]) -> Iterator[list[M]]:
    """The rows in their order, in parts of as many as are listed.

    Each part is chosen by its ids alone; `whole` reads the rows of these ids in the same order.
    """
    start = 0
    while part := list(whole(rows.values("pk")[start : start + LISTED_MAX])):
        yield part
        if len(part) < LISTED_MAX:
            return
        start += LISTED_MAX
