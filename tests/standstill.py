"""Proof that nothing moved: one digest over every row of every table of ours, before and after a refusal."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from django.db import connection

from tests.tables import own_models
from weighbridge.core.errors import Refused


@cache
def _statement() -> str:
    tables = [model._meta.db_table for model in own_models()]
    return " UNION ALL ".join(
        f"SELECT '{table}', count(*), md5(string_agg(row::text, '|' ORDER BY row::text)) FROM {table} row"
        for table in sorted(tables)
    )


def everything() -> dict[str, tuple[int, str]]:
    """Table -> (how many rows, digest of them all)."""
    with connection.cursor() as cursor:
        cursor.execute(_statement())
        return {table: (count, digest) for table, count, digest in cursor.fetchall()}


@contextmanager
def refused(error: type[Refused], *, match: str = "", code: str = "", field: str = "") -> Iterator[None]:
    """The block is refused with these words, code and field, and by itself leaves every table as it was."""
    before = everything()
    with pytest.raises(error, match=match or None) as refusal:
        yield
    assert type(refusal.value) is error
    if code:
        assert refusal.value.code == code
    if field:
        assert refusal.value.field == field
    assert everything() == before
