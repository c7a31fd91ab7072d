"""What a person sees."""

import io
import sys

import hypothesis.strategies as st
import pytest
from hypothesis import given

from weighbridge.cli import app
from weighbridge.cli.tables.terminal import number, progress, result_parts, show, table_of

METRIC = {"value": 1.5, "lower": 1.25, "upper": 2000.4, "confidence": 0.99, "n": 12_345, "unit": "ms"}
RESULT = {
    "scenario": "SingleStream",
    "metrics": {
        "latency_p95_ms": METRIC,
        "parameters": {"value": 24, "lower": None, "upper": None, "confidence": None, "n": 1, "unit": "1"},
        "new_metric": METRIC,
    },
    "missing": [{"metric": "latency_p99_ms", "message": "latency_p99_ms needs 662 samples."}],
    "verdict": {"status": "indicative", "reasons": [{"code": "interference.load", "message": "The load was [high]."}]},
    "manifest": {"digest": "sha256:ab", "engine": {"engine": "onnxruntime"}},
}


def cells_of(stream):
    """The cells of every row of the tables, without their headings."""
    lines = [line.split("│")[1:-1] for line in stream.getvalue().splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line] for line in lines]


def test_a_result_as_a_table():
    stream = io.StringIO()
    show(result_parts(RESULT), stream)
    assert cells_of(stream) == [
        ["latency p95", "1.5", "1.25", "2,000", "ms", "99%", "12,345"],
        ["parameters", "24", "", "", "", "", "1"],
        ["new_metric", "1.5", "1.25", "2,000", "ms", "99%", "12,345"],
    ]
    assert stream.getvalue().splitlines()[-4:] == [
        "no latency p99: latency_p99_ms needs 662 samples.",
        "verdict: indicative",
        "  interference.load: The load was [high].",
        "manifest: sha256:ab",
    ]


def test_percentiles_by_the_size_of_the_query():
    few, many = {"latency_p50_ms": {"value": 1.5}}, {f"latency_p{p}_ms": {"value": p * 1000.0} for p in (50, 95, 99)}
    sizes = [
        {"values_min": 1, "values_max": 1000, "n": 9, "metrics": few},
        {"values_min": 1001, "values_max": 12_000, "n": 1234, "metrics": many},
    ]
    stream = io.StringIO()
    show(result_parts({**RESULT, "metrics": {}, "by_size": sizes}), stream)
    assert "Latency by the size of the query" in stream.getvalue()
    assert cells_of(stream) == [
        ["1 to 1,000", "1.5", "", "", "9"],
        ["1,001 to 12,000", "50,000", "95,000", "99,000", "1,234"],
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (0, "0"),
        (0.0, "0"),
        (1234.5, "1,234"),
        (-5000, "-5,000"),
        (0.123456, "0.1235"),
        (0.0000123, "1.23e-05"),
    ],
)
def test_numbers(value, words):
    assert number(value) == words


def test_progress_is_drawn_and_taken_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    screen, pipe = Screen(), io.StringIO()
    for stream in (screen, pipe):
        with progress(stream, is_quiet=False) as say:
            say(0.5, "measuring latency")
    assert "measuring latency" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")
    assert pipe.getvalue() == ""


def test_quiet_progress_writes_nothing():
    stream = io.StringIO()
    with progress(stream, is_quiet=True) as say:
        say(0.5, "measuring latency")
    assert stream.getvalue() == ""


class Screen(io.StringIO):
    """A terminal that is 40 columns wide."""

    def isatty(self):
        return True


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


NUMBER = METRIC | {"value": 1_151_135_488, "lower": 1_051_135_488, "upper": 1_251_135_488}


def test_a_pipe_gets_whole_tables_and_a_narrow_terminal_gets_a_line_for_each_cell(narrow):
    name = "int8_static_per_channel_of_a_long_name"
    for stream in (io.StringIO(), Screen()):
        show(result_parts(RESULT | {"metrics": {name: NUMBER}}), stream)
        text = stream.getvalue()
        assert "…" not in text
        assert all(words in text for words in (name, "1,151,135,488", "1,051,135,488", "1,251,135,488"))
        assert ("  value: 1,151,135,488\n  lower: 1,051,135,488\n" in text) is stream.isatty()


@given(st.lists(st.text("0123456789,.e-", min_size=1, max_size=60), min_size=1, max_size=12))
def test_no_table_is_too_wide_for_a_pipe(cells):
    stream = io.StringIO()
    show([table_of("t", [f"column {place}" for place in range(len(cells))], [cells])], stream)
    assert all(cell in stream.getvalue() for cell in cells)


def test_a_character_that_the_terminal_does_not_know_ends_no_command(monkeypatch, capsys):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(app, "app", lambda **_: show(["5 µs ≤ 6"], sys.stdout))
    app.main()
    stream.flush()
    assert stream.buffer.getvalue() == b"5 \\xb5s \\u2264 6\n"


def test_a_program_may_read_the_output_in_a_stream_of_its_own(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(app, "app", lambda **_: show(["5 µs ≤ 6"], sys.stdout))
    app.main()
    assert stream.getvalue() == "5 µs ≤ 6\n"
