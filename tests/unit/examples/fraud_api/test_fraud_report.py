"""Costs, matrix and justification from records of the steps: every number stands where it came from."""

import pytest

from examples.fraud_api import load_tests, report
from examples.fraud_api.costing import requests_per_year, spec_of
from examples.fraud_api.decision import choose_option
from tests.unit.examples.fraud_api.fraud import TESTS, TINY, TRAININGS, load_record
from weighbridge.core.metrics.basis import Basis
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.learning import learning_curve
from weighbridge.tradeoff.learning.learning_curve import forecast
from weighbridge.tradeoff.sheets.sheet import html, markdown

ROWS = [5_000, 10_000, 20_000, 40_000]
CURVE = learning_curve.as_document(forecast(ROWS, [0.2 + 8 * n**-0.4 for n in ROWS]), metric="recall")
LEARNED = {"curve": CURVE, "why": "", "beyond": 0.73, "beyond_rows": 160_000, "best": 0.81}


@pytest.fixture(scope="module")
def projection():
    return project(read_spec(spec_of(TINY, TRAININGS, TESTS), shipped_book()))


@pytest.fixture(scope="module")
def costs(projection):
    return as_document(projection)


def test_the_busiest_hour_has_a_thousand_a_second(projection) -> None:
    spec = projection.spec
    assert spec.curve.peak_per_s == pytest.approx(1_000, rel=1e-6)
    assert spec.requests_median == pytest.approx(requests_per_year())


def test_the_managed_api_costs_its_tokens_and_the_others_their_replicas(projection) -> None:
    price = {pin.meter: float(pin.usd) for pin in projection.spec.pins if pin.sku == TINY.declared.model_sku}
    tokens = (120 * 180) ** 0.5 * price["input"] + (2 * 6) ** 0.5 * price["output"]
    retries = (0.001 * 0.002) ** 0.5
    expected = requests_per_year() * (1 + retries) * tokens / 1e6
    assert projection.of("a").middle.metrics["inference_cost_1y_usd"] == pytest.approx(expected)
    # A fifth of a millisecond each, a thousand a second: two replicas, the least, are more than enough all year.
    assert projection.of("c").middle.metrics["inference_cost_1y_usd"] == pytest.approx(2 * 0.17 * 8_760)


def test_the_matrix_holds_measured_estimated_and_declared_metrics(projection) -> None:
    found = choose_option(TINY, projection, TRAININGS, TESTS, CURVE)
    a, b, c = found.decision.matrix.options
    assert (a.cells["latency"].basis, b.cells["latency"].basis) == (Basis.DECLARED, Basis.MEASURED)
    assert "stand-in" in a.name
    assert "stand-in" in a.cells["latency"].source
    assert (b.cells["accuracy"].estimate.value, b.cells["accuracy"].basis) == (0.72, Basis.MEASURED)
    assert c.cells["accuracy"].estimate.value == pytest.approx(CURVE["expected"][0]["value"])
    assert c.cells["accuracy"].basis is Basis.ESTIMATED
    lifted = found.at_ceiling.matrix.options[2].cells["accuracy"]
    assert lifted.estimate.value == pytest.approx(CURVE["expected"][-1]["value"])
    assert lifted.source == "learning curve at 160,000 labeled transactions"
    cost = projection.of("b").metrics["equivalent_annual_usd"]
    assert b.cells["cost"].estimate.lower < float(sorted(cost)[len(cost) // 2]) <= b.cells["cost"].estimate.upper
    assert [place.name for place in found.decision.rejected] == []


def test_the_gate_of_200_ms_rejects(projection) -> None:
    slow = {**TESTS, "a": load_record(260)}
    found = choose_option(TINY, projection, TRAININGS, slow, None)
    assert [place.name for place in found.decision.rejected] == ["A managed API (stand-in)"]
    assert found.at_ceiling is None
    assert found.decision.matrix.options[2].cells["accuracy"].estimate.value == 0.69


def test_the_justification_says_what_is_what(projection, costs) -> None:
    found = choose_option(TINY, projection, TRAININGS, TESTS, CURVE)
    sheet = report.sheet_of(TINY, found, costs, TRAININGS, TESTS, LEARNED)
    written = markdown(sheet)
    for words in (
        "Nothing here is a real payment",
        "No vendor was called: a local stand-in answered",
        "Gorishniy et al. 2021",
        "stand-in, declared",
        "local server, measured",
        "google/gemini-2.5-flash-lite",
        "aws/us-east-1/c5.xlarge",
        "Ordered by the law of the data itself, 0.810 of the frauds",
        "C reached 0.730",
        "lies inside the interval",
        "billion transactions a year",
        "Development Time",
        "](learning-curve.svg)",
        "](matrix.svg)",
        "](cost-bands.svg)",
        "](cost-crossover.svg)",
    ):
        assert words in written, words
    assert "<script" not in html(sheet)
    assert sheet.headline == report.headline_of(sheet.headline, TESTS)


def test_a_load_test_that_tells_nothing_stands_in_the_headline() -> None:
    doubted = {**TESTS, "b": {**load_record(6, status="invalid"), "attempts": 3}}
    said = report.headline_of("Take B.", doubted)
    assert said.startswith(
        "Take B. Not to be decided on yet: the load test of B fine-tuned FT-Transformer is invalid or"
    )
    assert (
        list(report.load_words(TINY, doubted))[2]
        == "B fine-tuned FT-Transformer: invalid, attempt 3. The generator was late."
    )
    spanning = {**TESTS, "b": load_record(200)}
    assert "leaves open whether 200 ms are kept" in report.headline_of("Take B.", spanning)


def test_a_test_is_repeated_until_it_tells_something() -> None:
    open_, told = load_record(200), load_record(150)
    answers = [open_, told, told]
    found = load_tests.repeat_until_conclusive(lambda: answers.pop(0))
    assert (found["attempts"], found["load"], len(answers)) == (2, told["load"], 1)
    assert load_tests.repeat_until_conclusive(lambda: open_)["attempts"] == load_tests.ATTEMPTS
    assert load_tests.is_inconclusive({"metrics": {}, "verdict": {"status": "valid"}})
    assert not load_tests.is_inconclusive(load_record(260)["load"])


def test_without_a_curve_the_reason_is_given(projection, costs) -> None:
    learned = {**LEARNED, "curve": None, "why": "The metrics do not get better."}
    found = choose_option(TINY, projection, TRAININGS, TESTS, None)
    assert next(report.ceiling_words(found, learned)) == "No forecast: The metrics do not get better."
    assert [name for name, _ in report.sheet_of(TINY, found, costs, TRAININGS, TESTS, learned).plates] == ["matrix"]
    beyond = {**LEARNED, "beyond": 0.99}
    assert "That lies outside the interval of the forecast." in report.ceiling_words(
        choose_option(TINY, projection, TRAININGS, TESTS, CURVE), beyond
    )


def test_what_has_no_end_has_a_dash() -> None:
    assert report._levels({"p50": None, "p10": "1.00", "p90": None}) == "– (1 to –)"  # noqa: RUF001 -- dashes
