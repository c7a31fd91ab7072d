"""The goodput of a load test as the input of an own server: value, interval, and what is refused."""

import copy

import pytest

from tests.unit.toolkit.costs.specs import TODAY
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.value.measured_server import with_measured_server
from weighbridge.costs.value.own_or_api_document import own_or_api_document

RESULT = {
    "schema": "weighbridge.load/1",
    "verdict": {"status": "valid", "reasons": []},
    "metrics": {
        "goodput_per_s": {"value": 2.4, "lower": 2.2, "upper": 2.6, "confidence": 0.95, "unit": "1/s"},
        "input_tokens_mean": {"value": 600, "unit": "tokens"},
        "output_tokens_mean": {"value": 200, "unit": "tokens"},
    },
}
INPUTS = {"own": {"usd_per_replica_h": 2.5, "utilization": 0.35}}


def changed(**goodput):
    result = copy.deepcopy(RESULT)
    result["metrics"]["goodput_per_s"] = {"value": 2.4, **goodput}
    return result


def test_an_interval_of_95_percent_becomes_the_range_of_90():
    own = with_measured_server(INPUTS, RESULT)["own"]
    low, high = own["goodput_per_s"]
    assert 2.2 < low < high < 2.6
    assert low * high == pytest.approx(2.2 * 2.6)
    assert (high / low) == pytest.approx((2.6 / 2.2) ** (1.6448536 / 1.9599640))  # standard normal quantiles
    assert (own["input_tokens"], own["output_tokens"]) == (600, 200)
    assert "goodput_per_s" not in INPUTS["own"]


def test_stated_tokens_and_other_confidences_are_kept():
    stated = {"own": {**INPUTS["own"], "output_tokens": 300}}
    own = with_measured_server(stated, changed(lower=2.2, upper=2.6, confidence=0.9))["own"]
    assert own["output_tokens"] == 300
    assert own["goodput_per_s"] == pytest.approx([2.2, 2.6])
    assert with_measured_server(INPUTS, changed())["own"]["goodput_per_s"] == 2.4
    usual = with_measured_server(INPUTS, changed(lower=2.2, upper=2.6))["own"]["goodput_per_s"]
    assert usual == with_measured_server(INPUTS, RESULT)["own"]["goodput_per_s"]


def test_the_document_names_the_result():
    found = own_or_api_document(INPUTS, shipped_book(TODAY), measured=RESULT, draws=500)
    assert found["measured"] == {
        "schema": "weighbridge.load/1",
        "digest": digest_of(RESULT),
        "goodput_per_s": RESULT["metrics"]["goodput_per_s"],
    }
    levels = found["own"]["cost_per_m_output_tokens_usd"]
    assert float(levels["p10"]) < float(levels["middle"]) < float(levels["p90"])
    assert (
        own_or_api_document({"own": {**INPUTS["own"], "goodput_per_s": 2, "output_tokens": 9}}, shipped_book(TODAY))[
            "measured"
        ]
        is None
    )


DOUBTED = {
    "status": "invalid",
    "reasons": [
        {"code": "environment.co_located", "status": "indicative", "message": "One machine."},
        {"code": "samples.too_few", "status": "invalid", "message": "99 requests are too few"},
    ],
}


@pytest.mark.parametrize(
    ("inputs", "result", "field", "words"),
    [
        (INPUTS, {**RESULT, "verdict": {"status": "invalid"}}, "measured", "is no measurement; test again"),
        (INPUTS, {**RESULT, "verdict": DOUBTED}, "measured", r"test again\. \(99 requests are too few\)"),
        (INPUTS, {"metrics": {}}, "measured", "has no goodput_per_s"),
        (INPUTS, {}, "measured", "has no goodput_per_s"),
        ({"own": {**INPUTS["own"], "goodput_per_s": 2}}, RESULT, "own.goodput_per_s", "stated and measured"),
        ({"own": 5}, RESULT, "own", "must be a mapping"),
        (INPUTS, changed(lower=0, upper=3), "measured", "test longer"),
        (INPUTS, changed(lower=3, upper=2), "measured", "test longer"),
        (INPUTS, changed(lower=2, upper=3, confidence=1), "measured", "between 0 and 1"),
    ],
)
def test_a_result_that_is_no_measurement_is_refused(inputs, result, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        with_measured_server(inputs, result)
    assert refused.value.field == field
