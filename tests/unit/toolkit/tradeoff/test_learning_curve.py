"""Learning curves: known truths are covered, real estimates foretold, and what cannot be known is not said."""

import json
from pathlib import Path

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.charts.learning import learning_curve as learning_chart
from weighbridge.tradeoff.learning.learning_curve import as_document, back_test, describe, forecast
from weighbridge.tradeoff.learning.points_file import read_points
from weighbridge.tradeoff.learning.power_law import fit, interval_at, late_drop, points_of

PARTS = (16, 8, 4, 2, 1)
# Errors of a random forest (50 trees) on Fashion-MNIST, disjoint parts of 15,000 images, tested on all 10,000.
FOREST = {
    937: (
        0.1995,
        0.2072,
        0.2046,
        0.1998,
        0.2192,
        0.2073,
        0.2023,
        0.2067,
        0.2128,
        0.2051,
        0.2027,
        0.2034,
        0.2013,
        0.2007,
        0.2006,
        0.21,
    ),
    1_875: (0.1849, 0.1813, 0.1914, 0.191, 0.1889, 0.1819, 0.1863, 0.1893),
    3_750: (0.1657, 0.1749, 0.1671, 0.17),
    7_500: (0.157, 0.1608),
    15_000: (0.1478,),
}
FOREST_LATER = {30_000: 0.133, 60_000: 0.1293}


def forest():
    return [rows for rows, errors in FOREST.items() for _ in errors], [
        each for errors in FOREST.values() for each in errors
    ]


def simulated(rng, a, b, c, *, largest=8_000):
    rows = np.array([largest // parts for parts in PARTS for _ in range(parts)])
    return rows.tolist(), a + b * rows**-c + rng.normal(0, 1, len(rows)) * np.sqrt(4e-6 + 0.02 / rows)


@pytest.mark.parametrize("truth", [(0.08, 1.2, 0.45), (0.0, 1.0, 0.25)])
def test_intervals_hold_the_truth_as_often_as_they_say(truth) -> None:
    """At 95 % of 60 curves at least 51 (binomial, one in a thousand less)."""
    a, b, c = truth
    rng, hits = np.random.default_rng(11), np.zeros(3)
    for _ in range(60):
        found = forecast(*simulated(rng, *truth))
        hits += [bounds.lower <= a + b * rows**-c <= bounds.upper for rows, bounds in found.expected]
    assert (hits >= 51).all()


def test_exact_points_give_the_law_back() -> None:
    rows = [500, 1_000, 2_000, 4_000, 8_000, 16_000]
    found = forecast(rows, [0.06 + 1.5 * n**-0.5 for n in rows])
    assert (found.curve.a, found.curve.b, found.curve.c) == pytest.approx((0.06, 1.5, 0.5), rel=0.05)
    assert found.is_ceiling_identifiable
    assert found.ceiling.value == pytest.approx(0.06, abs=0.002)
    assert found.expected[2][1].value == pytest.approx(0.06 + 1.5 * 64_000**-0.5, abs=3e-4)


def test_a_late_drop_is_no_power_law() -> None:
    """A model that understands only with much data: hardly better up to 8,000 rows, then by half."""
    rows = [1_000, 2_000, 4_000, 8_000, 16_000]
    found = forecast(rows, [0.50, 0.49, 0.48, 0.46, 0.20])
    document = as_document(found, metric="error")
    assert (found.late_drop_from, document["expected"], document["ceiling"]) == (8_000, [], None)
    assert learning_chart(document).alt.endswith("0.200 at 16,000; no forecast.")
    (sentence,) = describe(document)
    assert sentence.startswith("No forecast: from 8,000 rows on the error falls faster than before")
    assert late_drop(fit(points_of(rows, [0.5, 0.4, 0.3, 0.25, 0.22]), freedom=0, confidence=0.95)) is None


def test_repeated_sizes_show_a_late_drop_beyond_their_noise_only() -> None:
    rng, found = np.random.default_rng(5), []
    for _ in range(100):
        rows, errors = simulated(rng, 0.08, 1.2, 0.45)
        found.append(forecast(rows, errors).late_drop_from)
    assert sum(each is not None for each in found) <= 5
    late = errors - 0.06 * (np.array(rows) == 8_000)
    assert forecast(rows, late).late_drop_from == 4_000


def test_a_real_curve_foretells_what_was_measured_later_and_no_ceiling() -> None:
    found = forecast(*forest())
    expected = dict(found.expected)
    assert list(expected) == [15_000, 30_000, 60_000]
    for rows, error in FOREST_LATER.items():
        assert expected[rows].lower <= error <= expected[rows].upper
        assert expected[rows].upper - expected[rows].lower < 0.03
    assert not found.is_ceiling_identifiable
    assert found.back_test.is_within
    assert found.back_test.predicted.value == pytest.approx(found.back_test.measured, abs=0.005)
    assert (found.back_test.fitted_up_to, found.back_test.rows) == (7_500, 15_000)


def test_the_document_speaks_of_the_metric_and_puts_it_into_sentences() -> None:
    document = json.loads(json.dumps(as_document(forecast(*forest()), metric="accuracy")))
    assert document["schema"] == "weighbridge.learning-curve/1"
    assert document["points"][0] == {
        "rows": 937,
        "value": pytest.approx(0.7948, abs=1e-4),
        "parts": 16,
        "deviation": pytest.approx(0.00134, abs=1e-4),
    }
    assert document["ceiling"] is None
    far = document["expected"][2]
    assert far["lower"] < far["value"] < far["upper"]
    said = describe(document)
    assert said[0].startswith("With 15,000 rows, expect accuracy 0.8520 (95%: ")
    assert said[3] == "Ceiling: not identifiable; the points fit as well without one."
    assert said[4].startswith("Back-test: fitted on up to 7,500 rows, the forecast for 15,000 missed by +0.0002; ")


def test_a_known_ceiling_and_an_absent_back_test_are_said() -> None:
    rows = [1_000, 2_000, 4_000, 8_000]
    document = as_document(forecast(rows, [0.06 + 20 * n**-0.9 for n in rows]), metric="error")
    assert document["ceiling"]["value"] == pytest.approx(0.06, abs=0.003)
    assert document["points"][0]["deviation"] is None
    said = describe(document)
    assert said[3].startswith("Ceiling with endless data: error 0.0")
    assert said[4].startswith("No back-test: it needs 4 sizes")


def test_a_forecast_that_was_wrong_says_so() -> None:
    rows = [500, 1_000, 2_000, 4_000, 8_000]
    errors = [0.05 + 2 * n**-0.5 for n in rows[:-1]] + [0.2]
    test = back_test(rows, errors)
    assert test is not None
    assert not test.is_within
    assert test.measured - test.predicted.value == pytest.approx(0.2 - (0.05 + 2 * 8_000**-0.5), abs=0.001)
    document = as_document(forecast([*rows, *rows], [*errors, *errors]), metric="error")
    assert "outside its interval" in describe(document)[4]


@pytest.mark.parametrize(
    ("rows", "errors"),
    [
        ([100, 200, 300, 400], [0.4, 0.3, 0.25, 0.2]),
        ([100, 200, 400, 800, 10_000], [0.4, 0.3, 0.25, 0.2, 0.1]),
        ([100, 200, 300, 400, 800], [0.1, 0.2, 0.3, 0.4, 0.1]),
    ],
)
def test_no_back_test_where_the_smaller_half_gives_no_curve(rows, errors) -> None:
    assert back_test(rows, errors) is None


@pytest.mark.parametrize(
    ("rows", "errors", "words"),
    [
        ([100, 200, 400], [0.3, 0.2, 0.1], "at least 4 sizes"),
        ([100, 200, 400, 800], [0.3, 0.2, 0.1, 1.2], "between 0 and 1"),
        ([0, 200, 400, 800], [0.3, 0.2, 0.1, 0.1], "positive"),
        ([100, 200, 400, 800], [0.1, 0.2, 0.3, 0.4], "do not get better"),
    ],
)
def test_what_is_no_curve_is_refused(rows, errors, words) -> None:
    with pytest.raises(Invalid, match=words):
        forecast(rows, errors)


def test_nothing_is_said_beyond_four_times_the_data() -> None:
    rows = [500, 1_000, 2_000, 4_000]
    curve = fit(points_of(rows, [0.05 + 2 * n**-0.5 for n in rows]), freedom=0, confidence=0.95)
    assert interval_at(curve, 16_000).n == 4
    with pytest.raises(Invalid, match=r"beyond 4 times the available data \(16,000 rows\)"):
        interval_at(curve, 16_001)


def test_points_are_read_from_csv_and_json(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("rows,accuracy\n500,0.75\n\n1000,0.875\n")
    (tmp_path / "p.json").write_text('{"metric": "error", "points": [{"rows": 500, "value": 0.25}]}')
    read = read_points(tmp_path / "p.csv")
    assert (read.metric, read.rows, read.errors) == ("accuracy", [500, 1_000], [0.25, 0.125])
    assert read_points(tmp_path / "p.json").errors == [0.25]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.csv", "", "must start with the header"),
        ("p.csv", "n,error\n1,2\n", "must start with the header"),
        ("p.csv", "rows,error\n1,2\n3\n", "Line 3 of p.csv"),
        ("p.csv", "rows,error\none,2\n", "Line 2 of p.csv"),
        ("p.json", "{", "not valid JSON"),
        ("p.json", '{"metric": "error", "points": [{"rows": 0.5}]}', "whole number"),
    ],
)
def test_points_that_cannot_be_read_are_refused(tmp_path: Path, name, text, words) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(Invalid, match=words):
        read_points(tmp_path / name)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes("rows,Qualität\n".encode("latin-1"))
    with pytest.raises(Invalid, match="cannot be read: 'utf-8' codec") as refusal:
        read_points(tmp_path / "p.csv")
    assert refusal.value.field == "points"


def test_absent_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read_points(tmp_path / "absent.csv")
