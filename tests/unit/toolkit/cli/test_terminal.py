"""What a person sees."""

import io

import pytest

from weighbridge.cli.tables.terminal import console, number, progress, result_parts, show

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


def test_a_result_as_a_table():
    stream = io.StringIO()
    show(result_parts(RESULT), stream)
    lines = [line.split("│")[1:-1] for line in stream.getvalue().splitlines() if line.startswith("│")]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["latency p95", "1.5", "1.25", "2,000", "ms", "99%", "12,345"],
        ["parameters", "24", "", "", "", "", "1"],
        ["new_metric", "1.5", "1.25", "2,000", "ms", "99%", "12,345"],
    ]
    assert stream.getvalue().splitlines()[-4:] == [
        "no metric: latency_p99_ms needs 662 samples.",
        "verdict: indicative",
        "  interference.load: The load was [high].",
        "manifest: sha256:ab",
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


def test_a_pipe_gets_whole_tables_and_a_narrow_terminal_gets_cells_in_several_lines(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert (console(io.StringIO()).width, console(Screen()).width) == (160, 40)
    name = "int8_static_per_channel_of_a_long_name"
    for stream in (io.StringIO(), Screen()):
        show(result_parts(RESULT | {"metrics": {name: METRIC}}), stream)
        assert "…" not in stream.getvalue()
        assert (name in stream.getvalue()) is not stream.isatty()
