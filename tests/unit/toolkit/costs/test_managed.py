"""Managed models: by token, by call, by provisioned unit, to the cent."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.charges import Rate
from weighbridge.costs.parts.load_curve import curve_of_counts
from weighbridge.costs.parts.managed import ManagedApi, Provisioned, managed_cost, provisioned_cost
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.uncertainty import Range

PRICES = ModelPrices(input_usd=0.15, output_usd=0.60, cache_read_usd=0.075)
API = ManagedApi(requests_per_year=2e9, prices=PRICES, input_tokens=1_000, output_tokens=200)
TIERED = ModelPrices(input_usd=Rate(1.25, ((200_000, 2.5),)), output_usd=Rate(10.0, ((200_000, 15.0),)))


def test_two_thousand_million_calls_of_a_thousand_tokens():
    cost = managed_cost(API)
    assert cost.total_usd == pytest.approx(540_000)
    assert cost.usd == pytest.approx({"input_tokens": 300_000, "output_tokens": 240_000, "fees": 0})
    assert cost.left_out == ("cache_read_tokens",)
    line = cost.lines[0]
    assert line.formula == "calls · input_tokens · input_usd · factor / 1,000,000"
    assert line.terms == {"calls": 2e9, "input_tokens": 1_000, "input_usd": 0.15, "factor": 1.0}


def test_cache_batch_retries_and_fees_by_hand():
    spec = dataclasses.replace(
        API,
        requests_per_year=1e6,
        input_tokens=500,
        cache_read_tokens=500,
        batch_share=0.4,
        batch_price_ratio=0.5,
        retry_share=0.02,
        fee_usd=0.001,
    )
    now = {"input_tokens": 500 * 0.15, "output_tokens": 200 * 0.60, "cache_read_tokens": 500 * 0.075}
    batches = {f"{name} in batches": usd * 0.5 * 0.4 * 1.02 for name, usd in now.items()}
    found = managed_cost(spec)
    assert found.usd == pytest.approx(
        {**{name: usd * 0.6 * 1.02 for name, usd in now.items()}, **batches, "fees": 1_020}
    )
    assert found.quantities["calls"] == pytest.approx(1.02e6)
    assert found.left_out == ()


def test_batches_have_the_prices_of_the_vendor_unless_a_ratio_is_stated():
    batch = dataclasses.replace(PRICES, input_usd=0.05, output_usd=0.10, cache_read_usd=None)
    spec = dataclasses.replace(API, prices=dataclasses.replace(PRICES, batch=batch), batch_share=1.0)
    expected = {"input_tokens in batches": 100_000, "output_tokens in batches": 40_000, "fees": 0}
    assert managed_cost(spec).usd == pytest.approx(expected)
    stated = dataclasses.replace(spec, batch_price_ratio=0.9)
    assert managed_cost(stated).total_usd == pytest.approx(540_000 * 0.9)
    with pytest.raises(Invalid, match="none of the batch interface") as refused:
        dataclasses.replace(API, batch_share=0.1)
    assert refused.value.field == "batch_share"


def test_fees_of_searches_have_no_batch_ratio():
    prices = dataclasses.replace(PRICES, web_searches_usd=0.01, request_usd=0.005)
    spec = dataclasses.replace(
        API, requests_per_year=1_000, prices=prices, web_searches=2, batch_share=1, batch_price_ratio=0.5
    )
    usd = managed_cost(spec).usd
    assert (usd["web_searches in batches"], usd["requests in batches"]) == pytest.approx((20, 5))


def test_a_factor_multiplies_every_price_of_the_model_and_nothing_else():
    spec = dataclasses.replace(API, fee_usd=0.001)
    halved = dataclasses.replace(spec, prices=dataclasses.replace(PRICES, factor=0.5))
    assert managed_cost(halved).total_usd == pytest.approx(540_000 / 2 + 2e6)


@pytest.mark.parametrize(("tokens", "usd"), [(200_000, 0.25), (200_001, 0.5000025), (300_000, 0.75)])
def test_a_long_prompt_is_charged_at_its_tier_as_a_whole(tokens, usd):
    spec = ManagedApi(requests_per_year=1, prices=TIERED, input_tokens=tokens)
    assert managed_cost(spec).total_usd == pytest.approx(usd)


@given(st.lists(st.floats(1_000, 400_000), min_size=2, max_size=30), st.floats(0, 200_000))
def test_the_tier_is_that_of_each_draw(tokens, cached):
    def usd(asked):
        spec = ManagedApi(
            requests_per_year=1, prices=TIERED, input_tokens=asked, cache_read_tokens=cached, output_tokens=50
        )
        return managed_cost(spec).total_usd

    assert usd(np.array(tokens)).tolist() == pytest.approx([usd(each) for each in tokens])


def test_a_price_by_call_alone():
    assert managed_cost(ManagedApi(requests_per_year=1e6, fee_usd=0.0075)).total_usd == pytest.approx(7_500)


def test_tokens_of_a_kind_without_a_price_are_charged_as_the_general_kind():
    without = ModelPrices(input_usd=1, output_usd=1)
    spec = dataclasses.replace(API, prices=without, input_tokens=0, cache_audio_read_tokens=1_000)
    line = managed_cost(spec).lines[1]
    assert (line.name, line.usd) == ("cache_audio_read_tokens", pytest.approx(2e9 * 1_000 / 1e6))
    assert line.formula == "calls · cache_audio_read_tokens · input_usd · factor / 1,000,000"


@given(st.floats(0.001, 3_600))
def test_the_least_quantity_is_charged_for_what_is_shorter(seconds):
    prices = ModelPrices(input_audio_time_usd=Rate(0.36, least=10))
    one, drawn = (
        managed_cost(ManagedApi(requests_per_year=1, prices=prices, input_audio_seconds=each)).total_usd
        for each in (seconds, np.array([seconds, 0.0]))
    )
    assert one == pytest.approx(max(seconds, 10) * 0.0001)
    assert drawn.tolist() == pytest.approx([one, 0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"batch_share": -0.1}, "batch_share"),
        ({"batch_share": 1.1}, "batch_share"),
        ({"batch_price_ratio": 2}, "batch_price_ratio"),
        ({"prices": None}, "input_tokens"),
        ({"prices": None, "input_tokens": 0, "output_tokens": 0}, "fee_usd"),
        ({"web_searches": 1}, "web_searches"),
        ({"audio_seconds": Range(1, 2)}, "audio_seconds"),
        ({"prices": dataclasses.replace(PRICES, others=("web_searches",)), "web_searches": 1}, "web_searches"),
        (
            {"prices": dataclasses.replace(PRICES, others=("input_audio_tokens",)), "input_audio_tokens": 1},
            "input_audio_tokens",
        ),
        ({"requests_per_year": -1}, "requests_per_year"),
        ({"retry_share": "a"}, "retry_share"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(API, **change)
    assert refused.value.field == field


def test_what_the_vendor_charges_and_the_spec_does_not_state_is_left_out_by_name():
    prices = dataclasses.replace(PRICES, web_searches_usd=0.01, input_image_usd=0.0, others=("cache_write_tokens",))
    assert managed_cost(dataclasses.replace(API, prices=prices)).left_out == (
        "cache_read_tokens",
        "web_searches",
        "cache_write_tokens",
    )


def test_a_negative_price_is_refused():
    with pytest.raises(Invalid, match="output_usd"):
        ModelPrices(input_usd=1, output_usd=-1)


def test_provisioned_units_carry_the_busiest_hour():
    curve = curve_of_counts([3_600.0] * 23 + [36_000.0])  # 10 requests a second at the peak: 720,000 tokens a minute
    spec = Provisioned(tokens_per_request=1_200, tokens_per_minute_per_unit=100_000, usd_per_unit_h=1.5)
    cost = provisioned_cost(curve, spec)
    assert (cost.quantities["units"], cost.total_usd) == (8, 8 * 1.5 * 8_760)
    with pytest.raises(Invalid, match="tokens per minute"):
        dataclasses.replace(spec, tokens_per_minute_per_unit=0)
    least = dataclasses.replace(spec, least_units=10)
    assert provisioned_cost(curve, least).quantities["units"] == 10
