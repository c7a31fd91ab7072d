"""Managed models: by token, by call, by provisioned unit, to the cent."""

import dataclasses

import pytest

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.load_curve import curve_of_counts
from weighbridge.costs.parts.managed import ManagedApi, Provisioned, TokenPrices, managed_cost, provisioned_cost

PRICES = TokenPrices(input_usd=0.15, output_usd=0.60, cache_read_usd=0.075)
API = ManagedApi(requests_per_year=2e9, prices=PRICES, input_tokens=1_000, output_tokens=200)


def test_two_thousand_million_calls_of_a_thousand_tokens():
    cost = managed_cost(API)
    assert cost.total_usd == pytest.approx(540_000)
    assert cost.usd["fees"] == 0


def test_cache_batch_retries_and_fees_by_hand():
    spec = dataclasses.replace(
        API,
        requests_per_year=1e6,
        cached_share=0.5,
        batch_share=0.4,
        batch_price_ratio=0.5,
        retry_share=0.02,
        fee_usd=0.001,
    )
    tokens = (500 * 0.15 + 500 * 0.075 + 200 * 0.60) / 1e6
    assert managed_cost(spec).usd == pytest.approx({"tokens": 1.02e6 * tokens * 0.8, "fees": 1_020})
    assert managed_cost(spec).quantities["calls"] == pytest.approx(1.02e6)


def test_a_price_by_call_alone():
    assert managed_cost(ManagedApi(requests_per_year=1e6, fee_usd=0.0075)).total_usd == pytest.approx(7_500)


def test_cached_tokens_without_a_price_are_refused():
    without = TokenPrices(input_usd=1, output_usd=1)
    assert managed_cost(dataclasses.replace(API, prices=without)).total_usd == pytest.approx(2e9 * 1_200 / 1e6)
    with pytest.raises(Invalid, match="has no price for cached tokens"):
        dataclasses.replace(API, prices=without, cached_share=0.1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cached_share": 1.1}, "cached_share"),
        ({"batch_share": -0.1}, "batch_share"),
        ({"batch_price_ratio": 2}, "batch_price_ratio"),
        ({"prices": None}, "fee_usd"),
        ({"requests_per_year": -1}, "requests_per_year"),
        ({"retry_share": "a"}, "retry_share"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(API, **change)
    assert refused.value.field == field


def test_a_negative_price_is_refused():
    with pytest.raises(Invalid, match="output_usd"):
        TokenPrices(input_usd=1, output_usd=-1)


def test_provisioned_units_carry_the_busiest_hour():
    curve = curve_of_counts([3_600.0] * 23 + [36_000.0])  # 10 requests a second at the peak: 720,000 tokens a minute
    spec = Provisioned(tokens_per_request=1_200, tokens_per_minute_per_unit=100_000, usd_per_unit_h=1.5)
    cost = provisioned_cost(curve, spec)
    assert (cost.quantities["units"], cost.total_usd) == (8, 8 * 1.5 * 8_760)
    with pytest.raises(Invalid, match="tokens per minute"):
        dataclasses.replace(spec, tokens_per_minute_per_unit=0)
    least = dataclasses.replace(spec, least_units=10)
    assert provisioned_cost(curve, least).quantities["units"] == 10
