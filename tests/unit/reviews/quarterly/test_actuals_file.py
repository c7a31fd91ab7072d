"""Actuals as CSV: what is read, and every fault named by its row."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.quarterly.domain.actuals_file import ROWS_MAX, ActualRow, read_actuals
from tests.spreadsheets import csv_of
from weighbridge.core.errors import Invalid


def test_rows_with_and_without_a_source_in_any_order_of_columns() -> None:
    assert read_actuals(b"\xef\xbb\xbfKPI, model ,value\nconversion,search/ranker, 3.2 \n") == (
        ActualRow(2, "search/ranker", "conversion", Decimal("3.2"), ""),
    )
    assert read_actuals(b"model,kpi,value,source\na/b,c,-1,Web\na/b,d,1e2,\n") == (
        ActualRow(2, "a/b", "c", Decimal(-1), "Web"),
        ActualRow(3, "a/b", "d", Decimal(100), ""),
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff", "not UTF-8"),
        (b"", "lacks the column model"),
        (b"model,kpi\n", "lacks the column value"),
        (b"model,kpi,value,color\n", "The column 'color' is unknown"),
        (b"model,kpi,value,value\n", "appears twice"),
        (b"model,kpi,value\n", "no row"),
        (b'model,kpi,value\n"a', "is not valid CSV"),
        (b"model,kpi,value\na,b\n", "Row 2 has more or fewer cells"),
        (b"model,kpi,value\na,b,1,2\n", "Row 2 has more or fewer cells"),
        (b"model,kpi,value\na,b,1\n,b,1\n", "Row 3: the column model is empty"),
        (b"model,kpi,value\na,,1\n", "Row 2: the column kpi is empty"),
        (b"model,kpi,value\na,b,many\n", "Row 2: 'many' is not a number"),
        (b"model,kpi,value\na,b,NaN\n", "Row 2: the value must be a finite number"),
        (b"model,kpi,value\n" + b"a,b,1\n" * (ROWS_MAX + 1), "2,001 rows; the maximum is 2,000"),
    ],
)
def test_a_fault_names_its_row(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refusal:
        read_actuals(content)
    assert refusal.value.field == "file"


@given(st.lists(st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4), min_size=1, max_size=20))
def test_what_our_own_writer_writes_is_read_back(values: list[Decimal]) -> None:
    content = csv_of(("model", "kpi", "value"), [("a/b", "c", value) for value in values])
    assert [row.value for row in read_actuals(content)] == values


@given(st.binary(max_size=200))
def test_no_bytes_break_it(content: bytes) -> None:
    try:
        read_actuals(content)
    except Invalid as refusal:
        assert refusal.reason.endswith(".")  # noqa: PT017 -- any answer is right that is not a crash
