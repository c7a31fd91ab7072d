"""Every managed model: each component, at each term, costs to the last digit what the package genai-prices says."""

import functools
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from weighbridge.costs.calculators import calculate
from weighbridge.costs.parts.charges import charges, left_out
from weighbridge.costs.parts.usage import ModelPrices
from weighbridge.costs.parts.usage import Usage as OurUsage
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.components import COMPONENTS
from weighbridge.costs.prices.managed_models import CONTEXTS, managed_prices
from weighbridge.costs.prices.price import Meter, Term
from weighbridge.costs.spec.model_prices import rate_of

DAY = date(2026, 11, 20)
MIDNIGHT = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
BY_QUANTITY = {each.quantity: each for each in COMPONENTS}
# Input tokens around every tier of the package, and none.
INPUTS = (0, 1, 999, 32_001, 128_000, 128_001, 199_999, 200_000, 200_001, 272_001, 524_289, 1_000_003)
REST = {
    "output_tokens": 777,
    "cache_read_tokens": 4_321,
    "cache_write_tokens": 1_234,
    "cache_write_1h_tokens": 567,
    "cache_audio_read_tokens": 89,
    "cache_image_read_tokens": 97,
    "input_audio_tokens": 311,
    "input_image_tokens": 1_105,
    "input_video_tokens": 2_017,
    "output_audio_tokens": 41,
    "output_image_tokens": 1_290,
    "output_video_tokens": 53,
    "output_reasoning_tokens": 4_099,
    "output_citation_tokens": 61,
    "audio_seconds": 0,
    "input_audio_seconds": 7,
    "input_characters": 1_003,
    "input_text_messages": 2,
    "input_document_pages": 5,
    "input_annotated_document_pages": 3,
    "web_searches": 2,
    "storage_searches": 1,
}
LONG_AUDIO = {"input_audio_seconds": 4_001, "output_tokens": 10}


def providers():
    from genai_prices import data_snapshot

    return data_snapshot.get_snapshot().providers


def units_of_the_package():
    from genai_prices.units import _get_registry

    return _get_registry().units


@functools.cache
def rates_by_term():
    found = defaultdict(lambda: defaultdict(dict))
    for price in managed_prices(DAY):
        found[price.sku][price.term][price.meter] = rate_of(price)
    return found


def totals(counts):
    """The usage as the package counts it: each kind includes all that are more special."""
    from genai_prices import Usage

    units = units_of_the_package()
    found = defaultdict(int)
    for quantity, count in counts.items():
        mine = units[quantity].dimensions.items()
        for key, unit in units.items():
            if key != "requests" and unit.dimensions.items() <= mine:
                found[key] += count
    return Usage(**found)


def priced(rates, counts):
    """The counts that some price of the model covers; the others are refused, not ignored."""
    return {
        name: count
        for name, count in counts.items()
        if {BY_QUANTITY[name].meter, *BY_QUANTITY[name].general} & set(rates)
    }


def moments(model, midnight=MIDNIGHT):
    """Midnight, or every half hour for a model whose prices depend on the hour."""
    offers = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    varies = any(hasattr(offer.constraint, "start_time") for offer in offers)
    return [midnight + timedelta(minutes=30 * step) for step in range(48 if varies else 1)]


def loads(rates):
    """Loads around every tier of a model that has some, and fewer of the others."""
    inputs = INPUTS if any(rate.tiers for rate in rates.values()) else INPUTS[:3]
    return [{"input_tokens": tokens, **rest} for tokens in inputs for rest in ({}, REST)] + [LONG_AUDIO]


@pytest.mark.parametrize("term", [Term.ON_DEMAND, *CONTEXTS])
def test_every_load_of_every_model_costs_what_the_package_says(term):
    offered = [(provider, model) for provider in providers() for model in provider.models]
    compared = 0
    for provider, model in offered:
        rates = rates_by_term()[f"{provider.id}/{model.id}"][term]
        for load in loads(rates) if rates else ():
            counts = priced(rates, load)
            ours = charges(rates, {**counts, "requests": 1 if Meter.WHOLE in rates else 0})
            theirs = max(
                model.calc_price(
                    totals(counts), provider, genai_request_timestamp=when, price_context=CONTEXTS.get(term)
                ).total_price
                for when in moments(model)
            )
            assert sum((each.usd for each in ours), Decimal(0)) == theirs, (model.id, load)
            compared += 1
    assert compared > {Term.ON_DEMAND: 15_000, Term.BATCH: 900}.get(term, 200)


def test_every_price_of_every_model_is_in_the_book():
    found = rates_by_term()
    by_price = {each.vendor_price: each.meter for each in COMPONENTS}
    for provider in providers():
        for model in provider.models:
            for term, context in {Term.ON_DEMAND: {}, **CONTEXTS}.items():
                usual = vars(model.get_prices(MIDNIGHT))
                theirs = {key: usd for key, usd in vars(model.get_prices(MIDNIGHT, context)).items() if usd is not None}
                if term is Term.ON_DEMAND or theirs != {key: usd for key, usd in usual.items() if usd is not None}:
                    assert set(found[f"{provider.id}/{model.id}"][term]) == {by_price[key] for key in theirs}


def test_a_component_of_a_newer_package_is_named_and_not_dropped(monkeypatch):
    from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice, Provider

    prices = ModelPrice(input_mtok=Decimal(1), output_smells_mtok=Decimal(9))
    model = ModelInfo(id="new", match=ClauseEquals("new"), prices=prices, deprecated=True)
    provider = Provider(id="acme", name="Acme", api_pattern="", models=[model])
    monkeypatch.setattr("weighbridge.costs.prices.managed_models._models", lambda: iter([(provider, model)]))
    monkeypatch.setattr("weighbridge.costs.prices.managed_models.data_day", lambda: DAY)
    (price,) = managed_prices(DAY)
    assert price.note == "deprecated by its vendor; the vendor also charges output_smells_mtok"
    document = {"requests_per_year": 1, "prices": {"sku": "acme/new"}, "input_tokens": 5}
    remarks = calculate("managed", document, PriceBook((price,), DAY))["remarks"]
    assert [each["text"] for each in remarks] == [
        "acme/new is deprecated by its vendor; no last day is known. Plan to switch to another model.",
        "acme/new: the vendor also charges output_smells_mtok.",
    ]


def test_components_are_as_general_as_the_package_says():
    units = units_of_the_package()
    for component in COMPONENTS:
        unit = units[component.quantity]
        assert unit.price_key == component.vendor_price
        assert unit.per == component.units * component.per_unit
        general = {
            BY_QUANTITY[key].meter
            for key, other in units.items()
            if key in BY_QUANTITY and other is not unit and other.dimensions.items() <= unit.dimensions.items()
        }
        assert set(component.general) == general
        assert component.is_input_token == (
            unit.dimensions["family"] == "tokens" and unit.dimensions["direction"] == "input"
        )


def test_every_component_has_a_quantity_and_a_price_in_a_spec():
    usage = {*OurUsage.__dataclass_fields__, "requests"}
    assert usage == {each.quantity for each in COMPONENTS}
    assert set(ModelPrices.__dataclass_fields__) - {"factor", "batch", "others"} == {each.price for each in COMPONENTS}


def test_what_is_priced_is_charged_or_left_out_by_name():
    for rates in (rates for terms in rates_by_term().values() for rates in terms.values()):
        counts = {"input_tokens": 100, "requests": 1 if Meter.WHOLE in rates else 0}
        counts = counts if {Meter.INPUT} & set(rates) else {**counts, "input_tokens": 0}
        charged = {each.meter for each in charges(rates, counts)}
        missing = {each.meter for each in left_out(rates, counts)}
        free = {meter for meter, rate in rates.items() if rate.is_free}
        assert charged | missing | free == set(rates)
        assert not charged & missing
