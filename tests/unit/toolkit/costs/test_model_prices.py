"""Prices of managed models in a spec: all of a SKU, or one by one; each is charged, pinned, left out or refused."""

import dataclasses
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from tests.unit.toolkit.costs.specs import TODAY, small
from weighbridge.core.errors import Invalid
from weighbridge.costs.calculators import calculate
from weighbridge.costs.changes import changes
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.negotiated import ContractRate
from weighbridge.costs.prices.price import (
    DEPRECATED,
    Meter,
    Price,
    PriceKind,
    PriceTier,
    PriceUnit,
    Retirement,
    Term,
    TierRule,
)
from weighbridge.costs.projection import draw_option, project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec

SKU = "acme/long"


def price(meter, usd, tier=None, sku=SKU, **more):
    tiers = (
        {}
        if tier is None
        else {"tiers": (PriceTier(Decimal(200_000), Decimal(tier)),), "tier_rule": TierRule.ALL_UNITS}
    )
    shared = {"unit": PriceUnit.MILLION_TOKENS, "as_of": date(2026, 9, 1), "source": "a page", "kind": PriceKind.MODEL}
    return Price(sku=sku, provider="acme", usd=Decimal(usd), meter=meter, **{**shared, **tiers, **more})


PRICES = (
    price(Meter.INPUT, "1.25", "2.5"),
    price(Meter.OUTPUT, "10", "15"),
    price(Meter.CACHE_READ, "0.125", "0.25"),
    price(Meter.INPUT_AUDIO, "3"),
    price(Meter.WEB_SEARCHES, "0.01", unit=PriceUnit.SEARCH),
    price(Meter.WHOLE, "0.002", unit=PriceUnit.REQUEST),
    *(price(meter, usd, term=Term.BATCH) for meter, usd in ((Meter.INPUT, "0.5"), (Meter.OUTPUT, "5"))),
    price(Meter.WHOLE, "0", term=Term.BATCH, unit=PriceUnit.REQUEST),
    price(Meter.INPUT, "1", sku="acme/old", note=DEPRECATED),
    price(Meter.WHOLE, "1", sku="acme/box", unit=PriceUnit.INSTANCE_H, kind=PriceKind.INSTANCE),
    dataclasses.replace(price(Meter.INPUT, "1", "2", sku="acme/parts"), tier_rule=TierRule.MARGINAL),
    price(Meter.INPUT_AUDIO_TIME, "0.36", sku="acme/ear", unit=PriceUnit.AUDIO_H, least=Decimal(10)),
)
BOOK = PriceBook(PRICES, TODAY, retirements={SKU: Retirement(date(2027, 1, 14), "a page", "acme/longer")})


def spec_of(book=BOOK, **serving):
    document = small(horizon={"years": 1, "discount_rate": 0})
    first = document["options"][0]
    document["options"] = [{**first, "serving": {"kind": "managed-api", "prices": {"sku": SKU}, **serving}}]
    return read_spec(document, book)


def year_of(spec):
    return project(spec).options[0].middle.serving


def test_a_sku_has_all_prices_of_the_model_and_those_that_are_charged_are_pinned():
    spec = spec_of(input_tokens=1_000, output_tokens=100)
    found = year_of(spec)
    # A million requests: 1,000 tokens at 1.25 and 100 at 10 dollars a million, and 0.002 dollars for each.
    assert found.usd == pytest.approx({"input_tokens": 1_250, "output_tokens": 1_000, "requests": 2_000, "fees": 0})
    assert found.left_out == ("cache_read_tokens", "input_audio_tokens", "web_searches")
    pins = [(pin.path.removeprefix("options[0].serving.prices."), pin.meter, pin.above) for pin in spec.pins]
    assert pins == [
        ("input_usd", "input", None),
        ("input_usd[1]", "input", 200_000),
        ("output_usd", "output", None),
        ("output_usd[1]", "output", 200_000),
        ("request_usd", "whole", None),
    ]
    assert {each.meter for each in spec.pinned.prices} == {Meter.INPUT, Meter.OUTPUT, Meter.WHOLE}


@pytest.mark.parametrize(
    ("serving", "usd"),
    [
        ({"input_tokens": 300_000}, 300_000 * 2.5),  # the whole prompt at the tier, not half of its price
        ({"input_tokens": 200_000}, 200_000 * 1.25),
        ({"input_tokens": 150_000, "cache_read_tokens": 60_000}, 150_000 * 2.5 + 60_000 * 0.25),
        ({"input_tokens": 1_000, "input_audio_tokens": 500}, 1_000 * 1.25 + 500 * 3),
        ({"input_tokens": 1_000, "cache_write_tokens": 500}, 1_500 * 1.25),  # has no price of its own here
        ({"output_reasoning_tokens": 500}, 500 * 10),
        ({"web_searches": 2}, 20_000),
    ],
)
def test_every_kind_of_usage_is_charged(serving, usd):
    assert year_of(spec_of(**serving)).total_usd == pytest.approx(usd + 2_000)


def test_a_range_over_a_tier_is_charged_at_the_tier_of_each_draw():
    spec = spec_of(input_tokens=[100_000, 400_000])
    drawn = draw_option(spec, spec.options[0], seed=1, n=500).option.serving
    found = project(spec, seed=1, draws=500).options[0].drawn.serving.usd["input_tokens"]
    usd = np.where(drawn.input_tokens > 200_000, 2.5, 1.25)
    assert found == pytest.approx(1e6 * drawn.input_tokens * usd / 1e6)
    assert 0 < (usd > 2).mean() < 1


def test_batches_have_the_vendors_prices_and_pins_of_their_own():
    spec = spec_of(input_tokens=1_000, batch_share=0.25)
    assert year_of(spec).usd == pytest.approx(
        {"input_tokens": 937.5, "requests": 1_500, "input_tokens in batches": 125, "requests in batches": 0, "fees": 0}
    )
    paths = [pin.path.removeprefix("options[0].serving.prices.") for pin in spec.pins]
    assert paths == ["input_usd", "input_usd[1]", "request_usd", "batch.input_usd", "batch.request_usd"]
    with pytest.raises(Invalid, match="none of the batch interface") as refused:
        spec_of(prices={"sku": "acme/old"}, input_tokens=5, batch_share=0.25)
    assert refused.value.field == "options[0].serving.batch_share"
    stated = spec_of(prices={"sku": "acme/old"}, input_tokens=5, batch_share=1, batch_price_ratio=0.6)
    assert year_of(stated).total_usd == pytest.approx(3)
    whole = spec_of(prices={"sku": SKU, "term": "batch"}, input_tokens=1_000)
    assert year_of(whole).total_usd == pytest.approx(500)


def test_a_factor_holds_for_all_prices_of_the_model_in_the_same_draw():
    spec = spec_of(prices={"sku": SKU, "factor": [0.5, 0.8]}, input_tokens=1_000, output_tokens=100)
    usd = project(spec, draws=300).options[0].drawn.serving.usd
    assert usd["input_tokens"] / usd["output_tokens"] == pytest.approx(np.full(300, 1.25))
    assert {pin.factor for pin in spec.pins} == {1.0}
    assert spec.options[0].serving.prices.factor.low == 0.5


def test_a_contract_moves_the_tiers_too():
    rate = ContractRate(sku="acme/*", source="a contract", valid_from=date(2026, 1, 1), discount=Decimal("0.2"))
    spec = spec_of(dataclasses.replace(BOOK, rates=(rate,)), input_tokens=300_000)
    assert year_of(spec).usd["input_tokens"] == pytest.approx(300_000 * 2)


def test_one_by_one_the_prices_have_their_tiers_and_name_what_they_leave_out():
    keys = {"input_usd": {"sku": SKU, "factor": 0.5}, "output_usd": {"sku": SKU}}
    spec = spec_of(prices=keys, input_tokens=300_000)
    found = year_of(spec)
    assert found.usd == pytest.approx({"input_tokens": 300_000 * 1.25, "fees": 0})
    assert found.left_out == ("output_tokens", "cache_read_tokens", "input_audio_tokens", "web_searches", "requests")
    assert [pin.above for pin in spec.pins] == [None, 200_000, None, 200_000]
    with pytest.raises(Invalid, match="has a price of its own in the price book: give cache_read_usd") as refused:
        spec_of(prices=keys, cache_read_tokens=5)
    assert refused.value.field == "options[0].serving.cache_read_tokens"


def test_the_least_quantity_of_a_price_is_charged():
    assert year_of(spec_of(prices={"sku": "acme/ear"}, input_audio_seconds=4)).total_usd == pytest.approx(1_000)
    one = spec_of(prices={"input_audio_time_usd": {"sku": "acme/ear"}}, input_audio_seconds=4)
    assert year_of(one).total_usd == pytest.approx(1_000)


@pytest.mark.parametrize(
    ("serving", "field", "words"),
    [
        ({"prices": {"sku": "acme/short"}}, "prices.sku", "Nearest: acme/"),
        ({"prices": {"sku": SKU, "term": "flex"}}, "prices.term", "has no price for the term flex"),
        ({"prices": {"sku": "acme/box"}}, "prices.sku", "is priced per instance_h; it is no managed model"),
        ({"prices": {"sku": "acme/parts"}}, "prices.sku", "needs tier_rule: all_units"),
        ({"prices": {"input_usd": {"sku": "acme/parts"}}}, "prices.input_usd.sku", "needs tier_rule: all_units"),
        (
            {"prices": {"input_usd": {"sku": SKU, "factor": [0.5, 0.8]}}},
            "prices.input_usd.factor",
            "must be one number",
        ),
        ({"prices": {"sku": SKU, "meter": "input"}}, "prices.meter", "unknown"),
        ({"prices": {"sku": SKU}, "input_characters": 5}, "input_characters", "has no price; leave it out"),
        ({"prices": {"sku": SKU, "factor": -1}}, "prices.factor", "0 or more"),
    ],
)
def test_what_cannot_be_charged_is_refused_with_its_path(serving, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        spec_of(**serving)
    assert refused.value.field == f"options[0].serving.{field}"


def test_the_calculator_takes_a_model_by_its_sku_and_says_what_it_leaves_out():
    found = calculate("managed", {"requests_per_year": 1e6, "prices": {"sku": SKU}, "input_tokens": [100, 200]}, BOOK)
    assert found["left_out"] == ["output_tokens", "cache_read_tokens", "input_audio_tokens", "web_searches"]
    assert [each["kind"] for each in found["remarks"]] == ["ending model", "left out"]
    assert found["laws"] == {"input_tokens": "lognormal"}


def test_a_document_remarks_on_models_that_end_and_on_what_is_left_out():
    document = as_document(project(spec_of(input_tokens=[0, 100])))
    until = "acme/long is served until 2027-01-14; its successor is acme/longer. Switch to another model by then."
    missing = "output_tokens, cache_read_tokens, input_audio_tokens, web_searches"
    assert document["remarks"] == [
        {"option": "api", "kind": "ending model", "text": until},
        {
            "option": "api",
            "kind": "left out",
            "text": f"The prices include {missing}, of which no quantity is stated; they are not in the costs.",
        },
    ]
    assert document["options"][0]["laws"] == {"serving.input_tokens": "normal, at least 0"}
    assert document["prices"][0]["successor"] == "acme/longer"


@pytest.mark.parametrize(
    ("sku", "retired_on", "words"),
    [
        (SKU, date(2026, 11, 25), "acme/long was retired on 2026-11-25; no successor is named. Nobody can use it"),
        ("acme/old", None, "acme/old is deprecated by its vendor; no last day is known."),
    ],
)
def test_a_model_that_has_ended_is_told(sku, retired_on, words):
    ends = {} if retired_on is None else {sku: Retirement(retired_on, "a page")}
    book = dataclasses.replace(BOOK, retirements=ends)
    (remark, *_) = as_document(project(spec_of(book, prices={"sku": sku}, input_tokens=5)))["remarks"]
    assert remark["text"].startswith(words)


def test_a_moved_tier_is_named_by_the_input_tokens_it_starts_at():
    moved = (price(Meter.INPUT, "1.25", "3", as_of=date(2026, 11, 1)), *PRICES[1:])
    before, after = (
        as_document(project(spec_of(book, input_tokens=5))) for book in (BOOK, dataclasses.replace(BOOK, prices=moved))
    )
    (row,) = changes(before, after)["prices"]
    assert (row["item"], row["before"], row["after"]) == ("acme/long input above 200000 input tokens", "2.5", "3")
