"""What a job returns: a document, a frame when asked, and something to look at."""

import io

import pandas
import polars
import pytest
from rich.console import Console

import weighbridge
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.terminal import table_of

METRIC = {"value": 1.5, "lower": 1.0, "upper": 2.0, "confidence": 0.99, "n": 7, "unit": "ms"}
DOCUMENT = {"schema": "s/1", "metrics": {"latency_p50_ms": METRIC, "<b>": {**METRIC, "lower": None}}}


@pytest.fixture
def result():
    rows = tuple(metric_rows(DOCUMENT["metrics"], model="[red]m"))
    return Result(DOCUMENT, rows, lambda: [table_of("<i>[red]t", ["a"], [["[b]x & y"]]), "<script>[red]"])


def test_the_document_is_read_by_key_and_given_whole(result):
    assert result["schema"] == "s/1"
    assert result.to_dict() == DOCUMENT
    assert repr(result) == "<Result s/1>"
    assert repr(Result({}, (), list)) == "<Result of a job>"


def test_the_rows_become_a_frame_of_either_library(result):
    names = ["model", "metric", "value", "lower", "upper", "unit", "confidence", "n"]
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert (list(frame.columns), frame["lower"].isna().tolist()) == (names, [False, True])
    assert result.to_polars().equals(polars.DataFrame([dict(row) for row in result.rows]))
    assert result.to_polars().columns == names


def test_rich_prints_the_parts_and_reads_no_markup(result):
    stream = io.StringIO()
    Console(file=stream, width=60).print(result)
    assert "[b]x & y" in stream.getvalue()
    assert "<i>[red]t" in stream.getvalue()
    assert "<script>[red]" in stream.getvalue()


def test_a_notebook_shows_it_escaped(result):
    html = result._repr_html_()
    assert html.startswith("<pre>")
    assert "&lt;script&gt;[red]" in html
    assert "[b]x &amp; y" in html
    assert "<script" not in html


def test_the_package_names_what_it_offers():
    assert dir(weighbridge) == weighbridge.__all__
    assert all(callable(getattr(weighbridge, name)) for name in weighbridge.__all__)
    with pytest.raises(AttributeError, match="no attribute 'weigh'"):
        _ = weighbridge.weigh
