"""No cell of an export is a formula, and every text comes back as it was."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from governance.exports.domain.spreadsheets import TEXT_CHARS_MAX, TRIGGERS, escaped
from tests.spreadsheets import csv_of, xlsx_of

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from([*sorted(TRIGGERS), "'", " ", ","]))


def unescaped(text: str) -> str:
    """What was escaped, but for characters no file can hold."""
    return text.removeprefix("'")


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a=b", "a=b"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("|calc", "'|calc"),
        ("%0A=1", "'%0A=1"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        (" =1", "' =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("'", "''"),
        ("\0=1", "\ufffd=1"),
        ("a\x1bb", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("x" * (TEXT_CHARS_MAX + 9), "x" * TEXT_CHARS_MAX),
    ],
)
def test_what_a_text_becomes(text: str, cell: str) -> None:
    assert escaped(text) == cell


def test_numbers_are_numbers_and_times_say_their_zone() -> None:
    row = [
        -5,
        Decimal("-0.10"),
        Decimal("1E+3"),
        True,
        False,
        None,
        date(2026, 7, 1),
        datetime(2026, 7, 1, 9, tzinfo=UTC),
    ]
    expected = ["-5", "-0.10", "1000", "yes", "no", "", "2026-07-01", "2026-07-01T09:00:00+00:00"]
    assert read_csv(csv_of(["a"], [row])) == [["a"], expected]
    cells = next(iter(load_workbook(io.BytesIO(xlsx_of(["a"], [row], title="t"))).active.iter_rows(min_row=2)))
    assert [cell.value for cell in cells] == [-5, -0.1, 1000, "yes", "no", None, *expected[6:]]
    assert [cell.data_type for cell in cells[:3]] == ["n", "n", "n"]


def test_a_header_is_no_formula_either_and_a_title_fits_its_tab() -> None:
    assert read_csv(csv_of(["=1"], []))[0] == ["'=1"]
    book = load_workbook(io.BytesIO(xlsx_of(["=1"], [], title="t" * 40)))
    assert (book.active.title, book.active["A1"].value, book.active["A1"].data_type) == ("t" * 31, "'=1", "s")


def test_a_file_begins_with_the_mark_spreadsheets_know() -> None:
    assert csv_of(["é"], []) == b'\xef\xbb\xbf"\xc3\xa9"\r\n'


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=5))
def test_every_csv_reads_back_as_it_was(rows: list[list[str]]) -> None:
    found = read_csv(csv_of(["a", "b"], rows))[1:]
    assert all(cell.lstrip(" \u00a0\u3000")[:1] not in TRIGGERS for row in found for cell in row if cell.strip())
    assert [[unescaped(cell) for cell in row] for row in found] == [
        [unescaped(escaped(cell)) for cell in row] for row in rows
    ]


@given(TEXTS)
def test_what_is_escaped_is_given_back(text: str) -> None:
    clean = text.replace("\0", "\ufffd")
    assert unescaped(escaped(text)) == clean


@given(st.lists(TEXTS.filter(lambda text: "\r" not in text), min_size=1, max_size=4))
def test_no_xlsx_cell_is_a_formula(row: list[str]) -> None:
    book = load_workbook(io.BytesIO(xlsx_of([str(i) for i in range(len(row))], [row], title="t")))
    cells = [book.active.cell(2, column + 1) for column in range(len(row))]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    assert [unescaped(cell.value or "") for cell in cells] == [text.replace("\0", "\ufffd") for text in row]
