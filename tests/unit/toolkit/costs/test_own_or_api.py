"""An own server or an API: the worked case, the break-even against a search by hand, and what never pays."""

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.specs import BOOK, TODAY
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.managed import ManagedApi
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.uncertainty import Range
from weighbridge.costs.value.own_or_api import OwnOrApi, OwnServer, break_even, cheaper_share, usd_per_million
from weighbridge.costs.value.own_or_api_document import own_or_api_document

OWN = OwnServer(usd_per_replica_h=2.5, goodput_per_s=2.4, utilization=0.35)
# gpt-5-mini: 600 tokens in at 0.25 and 200 out at 2 dollars a million.
API_USD = 0.00055
PRICES = ModelPrices(input_usd=0.25, output_usd=2.0)
CASE = {
    "own": {"usd_per_replica_h": 2.5, "goodput_per_s": 2.4, "utilization": 0.35},
    "api": {"prices": {"sku": "openai/gpt-5-mini"}, "input_tokens": 600, "output_tokens": 200},
}


def test_the_worked_case_of_an_own_server():
    assert OWN.requests_per_h == pytest.approx(3_024)
    assert f"{OWN.usd_per_request:.9f}" == "0.000826720"
    assert f"{usd_per_million(OWN.usd_per_request, 200):.2f}" == "4.13"
    assert f"{usd_per_million(OWN.usd_per_request, 800):.2f}" == "1.03"


def test_the_worked_break_even():
    found = break_even(OWN, API_USD)
    assert f"{found.per_h[0]:.2f}" == "4545.45"
    assert f"{found.utilization[0]:.3f}" == "0.526"
    assert round(found.per_h[0] * 730) == 3_318_182
    assert f"{found.per_h[0] * 730 * API_USD:.2f}" == "1825.00"
    assert (found.replicas[0], bool(found.exists[0])) == (1, True)
    # One replica takes 8,640 an hour: a second one is dearer than the API until 9,091.
    assert found.stays_per_h[0] == pytest.approx(9_090.909, abs=0.001)
    volumes = np.array([4_545, 4_546, 8_640, 8_641, 9_090, 9_091, 17_280, 17_281])
    assert cheaper_share(OWN, API_USD, volumes) == (0, 1, 1, 0, 0, 1, 1, 1)


def test_above_full_use_own_servers_are_never_cheaper():
    """At 0.0002 a request, an hour of 2.50 needs 12,500 requests, and one replica takes 8,640."""
    found = break_even(OWN, 0.0002)
    assert not found.exists.any()
    assert np.isnan([found.per_h[0], found.stays_per_h[0], found.utilization[0], found.replicas[0]]).all()
    volumes = np.geomspace(1, 1e7, 50)
    assert cheaper_share(OWN, 0.0002, volumes) == (0.0,) * 50


def test_fixed_costs_need_more_replicas_to_pay():
    """730 USD a month is 1 an hour. A replica gains 8,640 x 0.00055 - 2.5 = 2.252 an hour at full use."""
    people = dataclasses.replace(OWN, fixed_usd_per_month=730.0)
    found = break_even(people, API_USD)
    assert (found.replicas[0], found.per_h[0]) == (1, pytest.approx(3.5 / API_USD))
    many = break_even(dataclasses.replace(OWN, fixed_usd_per_month=7_300.0), API_USD)
    assert (many.replicas[0], many.per_h[0]) == (5, pytest.approx((5 * 2.5 + 10) / API_USD))


def test_at_exactly_full_use_the_two_cost_the_same():
    own = OwnServer(usd_per_replica_h=3.6, goodput_per_s=1.0, utilization=0.5)
    found = break_even(own, 0.001)
    assert (found.per_h[0], found.utilization[0]) == (3_600, 1.0)
    assert np.isnan(found.stays_per_h[0])  # the second replica never catches up


def test_replicas_that_always_run_are_paid():
    own = dataclasses.replace(OWN, least_replicas=2, highest_utilization=0.8)
    assert break_even(own, API_USD).per_h[0] == pytest.approx(5 / API_USD)
    assert [own.replicas_at(volume) for volume in (1, 13_824, 13_825)] == [2, 2, 3]
    assert break_even(own, API_USD).utilization[0] == pytest.approx(5 / API_USD / (2 * 8_640))


@given(
    st.floats(0.2, 20),
    st.floats(0.2, 20),
    st.floats(1e-4, 1e-2),
    st.floats(0, 5_000),
    st.integers(1, 4),
)
def test_the_break_even_is_the_lowest_volume_at_which_own_is_no_dearer(hourly, goodput, per_request, monthly, least):
    own = OwnServer(
        usd_per_replica_h=hourly,
        goodput_per_s=goodput,
        utilization=0.5,
        fixed_usd_per_month=monthly,
        least_replicas=least,
    )
    found = break_even(own, per_request)
    margin = per_request * own.capacity_per_h - hourly
    assume(abs(margin) > 1e-3 * hourly)
    # By hand: go through numbers of replicas until the full capacity of one is worth its cost.
    reach = next(
        (
            count
            for count in range(least, 5_000)
            if (count * hourly + own.fixed_usd_per_h) / per_request <= count * own.capacity_per_h * (1 + 1e-12)
        ),
        None,
    )
    if reach is None or margin < 0:
        assert margin > 0 or not found.exists[0]
        return
    assert found.per_h[0] == pytest.approx((reach * hourly + own.fixed_usd_per_h) / per_request)
    below = found.per_h[0] * np.linspace(0.01, 0.999, 40)
    assert cheaper_share(own, per_request, below) == (0.0,) * 40
    above = found.stays_per_h[0] * np.geomspace(1.001, 50, 200)
    assert cheaper_share(own, per_request, above) == (1.0,) * 200


def test_the_interval_of_the_cost_divides_draws_of_goodput():
    """A goodput between 2.2 and 2.6 in nine of ten draws: so is the cost of a request, the other way round."""
    document = own_or_api_document({**CASE, "own": {**CASE["own"], "goodput_per_s": [2.2, 2.6]}}, book(), draws=20_000)
    low, high = (2.5 / (3_600 * goodput * 0.35) for goodput in (2.6, 2.2))
    found = document["own"]["cost_per_request_usd"]
    assert low < float(found["p10"]) < float(found["middle"]) < float(found["p90"]) < high
    assert float(found["middle"]) == pytest.approx(2.5 / (3_600 * np.sqrt(2.2 * 2.6) * 0.35), rel=1e-4)


def book():
    return shipped_book(TODAY)


def test_the_document_of_the_worked_case():
    found = own_or_api_document(CASE, book(), draws=100)
    assert (found["schema"], found["draws"]) == ("weighbridge.own-or-api/1", 100)
    own = found["own"]
    assert own["cost_per_request_usd"]["middle"] == "0.0008267196"
    assert (own["cost_per_m_output_tokens_usd"]["p50"], own["cost_per_m_output_tokens_usd"]["divisor"]) == (
        *("4.1336", "output tokens"),
    )
    assert own["cost_per_m_tokens_usd"] == {
        **dict.fromkeys(("middle", "p10", "p50", "p80", "p90"), "1.0334"),
        "divisor": "input and output tokens",
    }
    assert found["api"]["cost_per_request_usd"]["middle"] == "0.0005500000"
    middle = found["break_even"]["middle"]
    assert (round(middle["per_h"], 2), round(middle["per_month"]), middle["usd_per_month"]) == (
        *(4_545.45, 3_318_182, "1825.00"),
    )
    assert (found["break_even"]["probability"], found["own_cheaper_probability"]) == (1.0, 0.0)
    assert len(found["volumes"]) == 17
    assert found["volumes"][8]["own_usd_per_month"]["middle"] == "1825.00"
    assert [price["sku"] for price in found["prices"]] == ["openai/gpt-5-mini"] * 2
    assert found["laws"] == {}


def test_probabilities_rise_with_the_volume_up_to_the_first_replica():
    given = {
        "own": {**CASE["own"], "usd_per_replica_h": [2.0, 3.0]},
        "api": {**CASE["api"], "input_tokens": [400, 900]},
    }
    volumes = [2_000, 4_000, 4_500, 5_000, 8_000]
    found = own_or_api_document(given, book(), volumes_per_h=volumes, draws=4_000)
    shares = [each["own_cheaper_probability"] for each in found["volumes"]]
    assert shares[0] == 0 < shares[1] < shares[2] < shares[3] <= shares[4] == 1
    levels = found["break_even"]["per_h"]
    assert levels["p10"] < levels["p50"] < levels["p90"]
    # By definition: the break-even is below a volume as often as own servers are cheaper there.
    again = own_or_api_document(given, book(), volumes_per_h=[levels["p80"]], draws=4_000)
    assert again["volumes"][0]["own_cheaper_probability"] == pytest.approx(0.8, abs=0.005)


def test_without_a_break_even_the_volumes_are_around_one_replica():
    found = own_or_api_document({**CASE, "api": {**CASE["api"], "input_tokens": 10, "output_tokens": 10}}, book())
    assert (found["break_even"]["middle"], found["break_even"]["per_h"], found["break_even"]["probability"]) == (
        *(None, None, 0.0),
    )
    assert found["volumes"][8]["requests_per_h"] == pytest.approx(8_640)
    assert {each["own_cheaper_probability"] for each in found["volumes"]} == {0.0}


def test_an_own_server_is_priced_alone():
    own = {**CASE["own"], "input_tokens": 600, "output_tokens": 200}
    found = own_or_api_document({"own": own}, book(), draws=100)
    assert (found["api"], found["break_even"], found["volumes"]) == (None, None, [])
    assert found["own"]["cost_per_m_tokens_usd"]["middle"] == "1.0334"


def test_another_tokenizer_counts_the_own_tokens():
    api = ManagedApi(requests_per_year=1.0, prices=PRICES, input_tokens=Range(500, 700), output_tokens=200.0)
    both = OwnOrApi(own=dataclasses.replace(OWN, output_tokens=260.0), api=api)
    assert both.output_tokens == 260
    assert both.all_tokens == pytest.approx(np.sqrt(500 * 700) + 260)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"own": {**CASE["own"], "goodput_per_s": 0}}, "own.goodput_per_s", "above zero"),
        ({"own": {**CASE["own"], "utilization": 0}}, "own.utilization", "above zero"),
        ({"own": {**CASE["own"], "utilization": 1.2}}, "own.utilization", "share between 0 and 1"),
        ({"own": {**CASE["own"], "least_replicas": 0}}, "own.least_replicas", "1 to 1,000,000"),
        ({"own": CASE["own"]}, "own.output_tokens", "State the output tokens"),
        ({"own": CASE["own"], "api": {"fee_usd": 1}}, "own.output_tokens", "State the output tokens"),
        ({"own": {}}, "own.usd_per_replica_h", "is missing"),
        ({**CASE, "speed": 1}, "speed", "is unknown"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_path(given, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        own_or_api_document(given, book())
    assert refused.value.field == field


@pytest.mark.parametrize("volumes", [[0.0], [-1.0], [float("nan")], [1e13], [1.0] * 65])
def test_volumes_are_bounded(volumes):
    with pytest.raises(Invalid, match="at most 64 volumes") as refused:
        own_or_api_document(CASE, BOOK, volumes_per_h=volumes)
    assert refused.value.field == "volumes"
